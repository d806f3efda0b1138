import {StrictMode} from 'react';
import {createRoot} from 'react-dom/client';
import {TrainingPanel} from './TrainingPanel';

createRoot(document.querySelector('#root') as HTMLElement).render(
  <StrictMode>
    <TrainingPanel />
  </StrictMode>,
);
