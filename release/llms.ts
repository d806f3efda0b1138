/** @file `npm run llms` writes llms.txt, a summary of the package and its documents. */
import {writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {llmsText} from './llmsText';

writeFileSync(fileURLToPath(new URL('../llms.txt', import.meta.url)), llmsText());
