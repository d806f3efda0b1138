import {element} from './element';

/**
 * `idle`: nothing trained yet; `starting`: digits or a backend are on the way; `stopped`: it cannot
 * continue.
 */
export type Phase = 'idle' | 'starting' | 'running' | 'paused' | 'finished' | 'stopped' | 'ending';

/** What the buttons depend on. */
export interface ButtonState {
  phase: Phase;
  /** The worker knows the backends. */
  isReady: boolean;
  /** At least one run is chosen. */
  hasRuns: boolean;
  /** Training pauses as soon as it has started. */
  isPausedAtStart: boolean;
}

/** What the buttons do. */
export interface ButtonActions {
  start(): void;
  step(): void;
  reset(): void;
}

const START_TEXTS: Record<Phase, string> = {
  idle: 'Start',
  starting: 'Resume',
  running: 'Pause',
  paused: 'Resume',
  finished: 'Next seed',
  stopped: 'Start',
  ending: 'Start',
};

/**
 * The buttons that start, pause and end training.
 *
 * @returns shows which of them can be pressed, and what the first one does.
 */
export function trainingButtons(actions: ButtonActions): (state: ButtonState) => void {
  const start = element('start', HTMLButtonElement);
  const step = element('step', HTMLButtonElement);
  const reset = element('reset', HTMLButtonElement);
  start.addEventListener('click', actions.start);
  step.addEventListener('click', actions.step);
  reset.addEventListener('click', actions.reset);
  return ({phase, isReady, hasRuns, isPausedAtStart}) => {
    const isTraining = phase === 'running' || (phase === 'starting' && !isPausedAtStart);
    start.textContent = isTraining ? 'Pause' : START_TEXTS[phase];
    start.disabled = !isReady || !hasRuns || phase === 'stopped' || phase === 'ending';
    step.disabled = start.disabled || isTraining || phase === 'starting' || phase === 'finished';
    reset.disabled = phase === 'idle' || phase === 'ending';
  };
}
