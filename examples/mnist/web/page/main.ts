import {DEFAULTS} from '../../experiment/defaults';
import type {Backend, Run, Settings} from '../../experiment/results';
import {parseRuns} from '../../experiment/runs';
import type {Curves, FromWorker} from '../protocol';
import {readAddress} from './address';
import {backendChoices} from './backendChoices';
import {curvePlots} from './curvePlots';
import {dataChoice} from './dataChoice';
import {showSource} from './dataSource';
import {element} from './element';
import {insideView} from './insideView';
import {progressLine} from './progressLine';
import {runChoices} from './runChoices';
import {runsTable} from './runsTable';
import {settingsForm} from './settingsForm';
import {trainingWorker} from './trainingWorker';
import {trouble} from './trouble';

/**
 * `idle`: nothing trained yet; `starting`: digits or a backend are on the way; `stopped`: it cannot
 * continue.
 */
type Phase = 'idle' | 'starting' | 'running' | 'paused' | 'finished' | 'stopped' | 'ending';

const start = element('start', HTMLButtonElement);
const step = element('step', HTMLButtonElement);
const reset = element('reset', HTMLButtonElement);

const line = progressLine();
const problem = trouble();
const plots = curvePlots();
const inside = insideView();
const table = runsTable((run) => {
  shown = run;
  inside.clear(runs[run]);
  send({type: 'show', run});
});
const choices = runChoices(DEFAULTS.runs, {onChange: chooseRuns, onError: problem.show});
const form = settingsForm(choices);
const backends = backendChoices(changeBackend);
const data = dataChoice({
  onFiles: (request) => {
    problem.clear();
    send({type: 'load', data: request});
  },
  onError: problem.show,
});
const address = readAddress(location.search);

let phase: Phase = 'idle';
let isReady = false;
let settings: Settings = DEFAULTS;
let runs: Run[] = [];
let curves: Curves[] = [];
let shown = 0;
let isPausedAtStart = false;
const {send} = trainingWorker(receive, (reason) => {
  isReady = false;
  problem.show(
    `Training has failed${reason ? ` (${reason})` : ''}. The curves stay until you reset; ` +
      'another run may succeed on another backend.',
  );
  enter(phase === 'idle' ? 'idle' : 'stopped');
});

/** A choice that can be made puts an end to what was wrong with the last one. */
function chooseRuns(): void {
  problem.clear();
  preview();
}

/** Shows the runs that are chosen, before there is anything to show of them. */
function preview(): void {
  if (phase !== 'idle') return;
  const names = choices.chosen();
  runs = names.length > 0 ? parseRuns(names.join(',')) : [];
  curves = runs.map(() => ({selectedLoss: [], testAccuracy: []}));
  shown = Math.max(
    0,
    runs.findIndex(({k, n, rule}) => rule === 'hardest' && k < n),
  );
  drawAll();
}

function drawAll(): void {
  plots.reset(runs, settings.steps);
  plots.draw(curves);
  table.reset(runs, shown);
  curves.forEach((each, index) => {
    table.draw(index, each);
  });
  inside.clear(runs[shown]);
  enter(phase);
}

/** Goes into a phase: which buttons can be pressed, and what they say. */
function enter(next: Phase): void {
  phase = next;
  const isTraining = phase === 'running' || (phase === 'starting' && !isPausedAtStart);
  start.textContent = isTraining ? 'Pause' : phase === 'paused' || phase === 'starting' ? 'Resume' : 'Start';
  start.disabled = !isReady || runs.length === 0 || ['finished', 'stopped', 'ending'].includes(phase);
  step.disabled = start.disabled || isTraining || phase === 'starting';
  reset.disabled = phase === 'idle' || phase === 'ending';
  form.lock(phase !== 'idle');
}

function begin(isPaused: boolean): void {
  const read = form.read(backends.chosen());
  if (!read) {
    element('settings', HTMLDetailsElement).open = true;
    return;
  }
  try {
    const request = data.request();
    settings = read;
    isPausedAtStart = isPaused;
    problem.clear();
    history.replaceState(
      null,
      '',
      form.address(read.backend, request.kind === 'drawn' ? data.drawn : undefined) || location.pathname,
    );
    enter('starting');
    drawAll();
    send({type: 'begin', settings, data: request, shown, isPaused});
  } catch (error) {
    problem.show((error as Error).message);
  }
}

start.addEventListener('click', () => {
  if (phase === 'idle') {
    begin(false);
  } else if (phase === 'running' || (phase === 'starting' && !isPausedAtStart)) {
    isPausedAtStart = true;
    send({type: 'pause'});
    line.say('Pausing after this step …');
  } else {
    isPausedAtStart = false;
    send({type: 'resume'});
    if (phase === 'paused') enter('running');
    line.move(settings.backend, curves, settings.steps);
  }
});
step.addEventListener('click', () => {
  if (phase === 'idle') begin(true);
  send({type: 'step'});
});
reset.addEventListener('click', () => {
  enter('ending');
  problem.clear();
  send({type: 'end'});
});

function changeBackend(backend: Backend): void {
  if (phase === 'idle' || phase === 'stopped' || phase === 'ending') return;
  line.say(`Moving to ${backend} …`);
  send({type: 'backend', backend});
}

type Message<T extends FromWorker['type']> = Extract<FromWorker, {type: T}>;

const receivers: {[T in FromWorker['type']]: (message: Message<T>) => void} = {
  offers: takeOffers,
  busy: ({text}) => line.say(text),
  data(message) {
    showSource(message.data);
    if (phase === 'idle') line.say('The digits are there.');
  },
  dataFailed({message}) {
    problem.show(message);
    data.complain('These cannot be used.');
    line.say('Choose other digits, and start again.');
    enter('idle');
  },
  running: goOn,
  stepped: takeStep,
  view: ({view}) => showInside(view),
  paused() {
    line.say(`Paused at step ${leastSteps()} of ${settings.steps}.`);
    enter('paused');
  },
  finished() {
    line.move(settings.backend, curves, settings.steps);
    line.say(`All runs have taken their ${settings.steps} steps.`);
    enter('finished');
  },
  ended() {
    line.reset();
    line.say('Ready.');
    enter('idle');
    preview();
  },
  backendFailed: tellFailure,
  failed({message}) {
    problem.show(message);
    line.say('Stopped.');
    enter('stopped');
  },
};

function receive<T extends FromWorker['type']>(message: Message<T>): void {
  (receivers[message.type as T] as (message: Message<T>) => void)(message);
}

const leastSteps = () => Math.min(...curves.map(({selectedLoss}) => selectedLoss.length));

function takeOffers({offers, preferred}: Message<'offers'>): void {
  backends.offer(offers);
  if (isReady) return;
  isReady = true;
  const asked = offers.find(({backend, available}) => available && backend === address.backend);
  backends.choose(asked?.backend ?? preferred);
  const passedOver = address.backend && !asked ? `There is no backend ${address.backend} here. ` : '';
  if (phase === 'idle')
    line.say(`${passedOver}Ready. ${runs.length === 1 ? '1 run' : `${runs.length} runs`}, on ${backends.chosen()}.`);
  enter(phase);
}

function goOn({backend, runs: all}: Message<'running'>): void {
  settings = {...settings, backend};
  backends.choose(backend);
  curves = all.map(({selectedLoss, testAccuracy}) => ({selectedLoss: [...selectedLoss], testAccuracy}));
  plots.draw(curves);
  curves.forEach((each, index) => {
    table.draw(index, each);
  });
  if (phase === 'starting') enter(isPausedAtStart ? 'paused' : 'running');
  line.say(
    leastSteps() > 0
      ? `Resuming at step ${leastSteps()} on ${backend} …`
      : `Measuring the accuracy before the first step, on ${backend} …`,
  );
}

function takeStep({run, step: steps, selectedLoss, testAccuracy}: Message<'stepped'>): void {
  const of = curves[run];
  if (!of) return;
  of.selectedLoss[steps - 1] = selectedLoss;
  of.testAccuracy = testAccuracy;
  table.draw(run, of);
  plots.draw(curves);
  if (phase === 'running') line.move(settings.backend, curves, settings.steps);
}

function showInside(view: Message<'view'>['view']): void {
  const of = curves[view.run];
  // The user may have turned to another run since.
  if (of && view.run === shown) inside.draw(view, runs, of);
}

function tellFailure({backend, message, next}: Message<'backendFailed'>): void {
  if (next) {
    problem.show(`${message} Training continues on ${next}, from the last copy of the weights; the curves are kept.`);
    return;
  }
  problem.show(`${message} No backend is left: ${backend} was the last. Reload the page to try again.`);
  line.say('Stopped.');
  enter('stopped');
}

const wrong = form.fill(address, data.drawn);
if (wrong.length > 0) problem.show(`The address of this page says what cannot be: ${wrong.join(' ')}`);
// On a narrow screen the settings would push everything else out of sight.
if (!matchMedia('(min-width: 64rem)').matches) element('settings', HTMLDetailsElement).open = false;
preview();
