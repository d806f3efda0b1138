import {enableProdMode} from '@tensorflow/tfjs-core';
import {parseRuns} from '../../experiment/runs';
import {preferredBackend} from '../backendChoice';
import type {FromWorker, Offer, ToWorker} from '../protocol';
import {digitShelf} from './digits';
import {loadBackend} from './loadBackend';
import {findOffers} from './offers';
import {beginSession, type Session} from './session';

/** What is used here of a worker's global scope; TypeScript knows that of a page. */
interface Scope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

const scope = globalThis as unknown as Scope;
const post = (message: FromWorker) => scope.postMessage(message);
const say = (text: string) => post({type: 'busy', text});

enableProdMode();
const digitsFor = digitShelf();
let offers: Offer[] = [];
let session: Session | undefined;
/**
 * Counts the training runs: one that was ended while its digits were still on the way must not
 * begin.
 */
let training = 0;

const postOffers = () => post({type: 'offers', offers, preferred: preferredBackend(offers) ?? 'cpu'});

async function load(data: Extract<ToWorker, {type: 'load'}>['data']) {
  try {
    const digits = await digitsFor(data, say);
    const {source, description, train, test} = digits;
    post({type: 'data', data: {source, description, trainCount: train.count, testCount: test.count}});
    return digits;
  } catch (error) {
    post({type: 'dataFailed', message: (error as Error).message});
    return undefined;
  }
}

async function begin({data, settings, shown, isPaused}: Extract<ToWorker, {type: 'begin'}>) {
  const mine = ++training;
  const digits = await load(data);
  if (!digits || mine !== training) return;
  const tooLarge = parseRuns(settings.runs.join(',')).find(({n}) => n > digits.train.count);
  if (tooLarge) {
    const message = `The run ${tooLarge.name} must have n <= ${digits.train.count}, the number of digits to train on. Take more digits, or smaller runs.`;
    post({type: 'dataFailed', message});
    return;
  }
  session = beginSession({digits, settings, shown, isPaused, load: loadBackend, strikeOff, post});
}

const strikeOff = (backend: Offer['backend'], note: string) => {
  offers = offers.map((offer) => (offer.backend === backend ? {...offer, available: false, note} : offer));
  postOffers();
  return preferredBackend(offers);
};

async function end() {
  training++;
  await session?.end();
  session = undefined;
  post({type: 'ended'});
}

async function obey(message: ToWorker): Promise<void> {
  if (message.type === 'load') await load(message.data);
  if (message.type === 'begin') await begin(message);
  if (message.type === 'pause') session?.pause();
  if (message.type === 'resume') session?.resume();
  if (message.type === 'step') session?.step();
  if (message.type === 'backend') session?.switchTo(message.backend);
  if (message.type === 'show') session?.show(message.run);
}

const fail = (error: unknown) =>
  post({type: 'failed', message: `Training cannot continue: ${(error as Error).message}`});

// One after the other: a request while the digits are on the way is for the training run that they
// are for.
let obeyed: Promise<void> = Promise.resolve();
scope.onmessage = ({data: message}) => {
  if (message.type === 'end') end().catch(fail);
  else obeyed = obeyed.then(() => obey(message)).catch(fail);
};

offers = await findOffers();
postOffers();
