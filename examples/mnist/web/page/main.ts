import type {Backend, Run, Settings} from '../../experiment/results';
import {parseRuns} from '../../experiment/runs';
import type {Curves, FromWorker, Offer} from '../protocol';
import {inShort, readAddress} from './address';
import {addressNote} from './addressNote';
import {backendChoices} from './backendChoices';
import {curvePlots} from './curvePlots';
import {dataChoice} from './dataChoice';
import {showSource} from './dataSource';
import {element} from './element';
import {FIRST_RUN} from './firstRun';
import {happenedLine} from './happenedLine';
import {insideView} from './insideView';
import {showNote} from './note';
import {progressLine} from './progressLine';
import {EXPERIMENT, referenceLink} from './referenceLink';
import {runChoices} from './runChoices';
import {runsTable} from './runsTable';
import {startsItself, visitNow} from './selfStart';
import {settingsFold} from './settingsFold';
import {settingsForm} from './settingsForm';
import {settingsSummary} from './settingsSummary';
import {shareLink} from './shareLink';
import {slowBackend} from './slowBackend';
import {type Phase, trainingButtons} from './trainingButtons';
import {trainingWorker} from './trainingWorker';
import {trouble} from './trouble';
import {wallFold} from './wallFold';

element('unserved', HTMLParagraphElement).remove();

const address = readAddress(location.search);
const isFirstVisit = Object.keys(address.settings).length === 0;
const defaults = isFirstVisit ? FIRST_RUN : EXPERIMENT;

const line = progressLine();
const problem = trouble();
const plots = curvePlots();
const inside = insideView();
const happened = happenedLine();
const fold = settingsFold();
wallFold();
const table = runsTable((run) => {
  shown = run;
  inside.clear(runs, run);
  drawHappened();
  send({type: 'show', run});
});
const choices = runChoices(defaults.runs, {onChange: chooseRuns, onError: problem.show});
const backends = backendChoices(changeBackend);
const data = dataChoice({
  onFiles: (request) => {
    problem.clear();
    send({type: 'load', data: request});
  },
  onError: problem.show,
});
const form = settingsForm(choices, data, defaults, summarise);

let phase: Phase = 'idle';
let isReady = false;
let settings: Settings = {...defaults, backend: 'wasm'};
let runs: Run[] = [];
let curves: Curves[] = [];
let shown = 0;
let testCount = 0;
let offers: readonly Offer[] = [];
let isPausedAtStart = false;
/** Another training run is due as soon as this one has ended. */
let isNextDue = false;
const {send} = trainingWorker(receive, (reason) => {
  isReady = false;
  if (!reason && phase === 'idle') {
    problem.show('The script that trains could not be loaded. Check the network, and reload the page.');
    return;
  }
  problem.show(
    `Training has failed${reason ? ` (${reason})` : ''}. The curves stay until you reset; ` +
      'another run may succeed on another backend.',
  );
  enter(phase === 'idle' ? 'idle' : 'stopped');
});
const showButtons = trainingButtons({start: pressStart, step: takeOneStep, reset: end});
const share = shareLink(() => form.address(backends.chosen()), line.say);

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
  inside.clear(runs, shown);
  drawHappened();
  enter(phase);
}

const drawHappened = () => happened.draw({runs, curves, shown, testCount, steps: settings.steps});
const progress = () => ({backend: settings.backend, runs, curves, steps: settings.steps});

/** Says in a line what is set, and what to expect of the backend. */
function summarise(): void {
  const kind = data.kind();
  const request = kind === 'drawn' ? {kind, count: data.drawn.valueAsNumber} : {kind, files: []};
  fold.summarise(settingsSummary(form.now(backends.chosen()), request));
  showNote('slow-backend', [isReady ? slowBackend(backends.chosen(), offers) : '']);
}

/** Goes into a phase: which buttons can be pressed, and what they say. */
function enter(next: Phase): void {
  phase = next;
  showButtons({phase, isReady, hasRuns: runs.length > 0, isPausedAtStart});
  share.disabled = !isReady;
  form.lock(phase !== 'idle');
  summarise();
}

function begin(isPaused: boolean, isOwnStart = false): void {
  const read = form.read(backends.chosen());
  if (!read) {
    fold.unfold();
    return;
  }
  try {
    const request = data.request();
    settings = read;
    isPausedAtStart = isPaused;
    problem.clear();
    // After a start of its own the short address stays, so that a reload starts again.
    if (!isOwnStart) history.replaceState(null, '', form.address(read.backend));
    fold.fold();
    enter('starting');
    drawAll();
    send({type: 'begin', settings, data: request, shown, isPaused});
  } catch (error) {
    problem.show((error as Error).message);
  }
}

function pressStart(): void {
  if (phase === 'idle') {
    begin(false);
  } else if (phase === 'running' || (phase === 'starting' && !isPausedAtStart)) {
    isPausedAtStart = true;
    send({type: 'pause'});
    line.say('Pausing after this step …');
  } else if (phase === 'finished') {
    isNextDue = true;
    form.countSeed();
    end();
  } else {
    isPausedAtStart = false;
    send({type: 'resume'});
    if (phase === 'paused') enter('running');
    line.move(progress());
  }
}

function takeOneStep(): void {
  if (phase === 'idle') begin(true);
  send({type: 'step'});
}

function end(): void {
  enter('ending');
  problem.clear();
  send({type: 'end'});
}

function changeBackend(backend: Backend): void {
  summarise();
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
    testCount = message.data.testCount;
    if (phase === 'idle') line.say('The digits are there.');
  },
  dataFailed({message}) {
    problem.show(message);
    data.complain('These cannot be used.');
    line.say('Choose other digits, and start again.');
    fold.unfold();
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
    line.move(progress());
    line.say(`All runs have taken their ${settings.steps} steps.`);
    enter('finished');
  },
  ended() {
    line.reset();
    line.say('Ready.');
    settings = {...settings, steps: form.now(settings.backend).steps};
    enter('idle');
    preview();
    if (isNextDue) begin(false);
    isNextDue = false;
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

function takeOffers({offers: all, preferred}: Message<'offers'>): void {
  offers = all;
  backends.offer(offers);
  if (isReady) return;
  isReady = true;
  const wanted = address.settings.backend;
  const found = offers.find(({backend, available}) => available && backend === wanted);
  if (phase === 'idle') backends.choose(found?.backend ?? preferred);
  const passedOver = wanted && !found ? `There is no backend ${inShort(wanted)} here. ` : '';
  if (phase === 'idle') {
    line.say(`${passedOver}Ready. ${runs.length === 1 ? '1 run' : `${runs.length} runs`}, on ${backends.chosen()}.`);
  }
  enter(phase);
  const isFirstRun = isFirstVisit && address.unclear.length === 0;
  const isSlow = slowBackend(backends.chosen(), offers) !== '';
  if (phase === 'idle' && startsItself(visitNow(isFirstRun, isSlow))) begin(false, true);
}

function goOn({backend, runs: all}: Message<'running'>): void {
  settings = {...settings, backend};
  backends.choose(backend);
  curves = all.map(({selectedLoss, testAccuracy}) => ({selectedLoss: [...selectedLoss], testAccuracy}));
  plots.draw(curves);
  curves.forEach((each, index) => {
    table.draw(index, each);
  });
  drawHappened();
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
  drawHappened();
  if (phase === 'running') line.move(progress());
  else line.count(progress());
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

const unclear = [...address.unclear, ...form.fill(address.settings)];
showNote('address-note', addressNote(unclear, data.kind()));
referenceLink();
preview();
