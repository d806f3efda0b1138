import {resolve} from 'node:path';
import type {DigitData} from '../data/digits';
import {DEFAULTS} from '../experiment/defaults';
import type {Settings} from '../experiment/results';
import {type Checkpoint, checkpointPath, readCheckpoint} from './checkpoint';
import {checkWritable} from './checkWritable';
import {DEFAULT_OUT} from './defaults';
import {type DigitRequest, findDigits, fingerprint} from './digits';
import {UsageError} from './errors';
import {freeFolder} from './freeFolder';
import {type Options, SETTING_OPTIONS} from './options';

/** An experiment that is ready to run: from its beginning, or from where it was. */
export interface Beginning {
  folder: string;
  checkpoint: Checkpoint;
  digits: DigitData;
}

type OnMessage = (message: string) => void;

/** Begins the experiment that the options describe, or resumes the one that they name. */
export function begin(options: Options, onMessage: OnMessage): Promise<Beginning> {
  return options.resume === undefined ? beginAnew(options, onMessage) : goOn(options.resume, options, onMessage);
}

async function beginAnew(options: Options, onMessage: OnMessage): Promise<Beginning> {
  const folder = await freeFolder(options);
  if (options.out === undefined && folder !== DEFAULT_OUT) {
    onMessage(`${DEFAULT_OUT} holds a finished experiment: this one goes into ${folder}`);
  }
  await checkWritable(folder);
  const settings: Settings = {...DEFAULTS, ...options.settings};
  const request = requestOf(options);
  const digits = await findDigits(request, onMessage);
  const checkpoint: Checkpoint = {
    settings,
    data: {
      source: digits.source,
      description: digits.description,
      trainCount: digits.train.count,
      testCount: digits.test.count,
    },
    request: lasting(request, digits),
    fingerprint: fingerprint(digits),
    state: {finished: []},
  };
  return {folder, checkpoint, digits};
}

function requestOf({data, anyDigits = false, digits}: Pick<Options, 'data' | 'anyDigits' | 'digits'>): DigitRequest {
  if (digits !== undefined) return {drawn: {train: digits, test: Math.floor(digits / 6)}};
  return data === undefined ? {} : {folder: data, anyDigits};
}

/**
 * A request that gives the same digits tomorrow: from another folder, and also if MNIST can be
 * downloaded then.
 */
function lasting(request: DigitRequest, {source, train, test}: DigitData): DigitRequest {
  if (source === 'drawn') return {drawn: {train: train.count, test: test.count}};
  return request.folder === undefined ? request : {...request, folder: resolve(request.folder)};
}

async function goOn(folder: string, options: Options, onMessage: OnMessage): Promise<Beginning> {
  const checkpoint = await readCheckpoint(folder);
  if (!checkpoint) {
    throw new UsageError(`mnist: --resume must name a folder with an experiment, got no ${checkpointPath(folder)}.`);
  }
  checkSettings(options, checkpoint);
  await checkWritable(folder);
  const {data} = options;
  const digits = await findDigits(data === undefined ? checkpoint.request : requestOf(options), onMessage);
  if (fingerprint(digits) !== checkpoint.fingerprint) {
    const {description} = checkpoint.data;
    throw new UsageError(
      `mnist: the digits must be those that the experiment began with (${description}), got others (${digits.description}).`,
    );
  }
  return {folder, checkpoint, digits};
}

/** Refuses settings that are not those of the experiment; the same ones may be typed again. */
function checkSettings({settings, digits}: Options, checkpoint: Checkpoint): void {
  const check = (option: string, typed: unknown, wanted: unknown) => {
    if (typed !== undefined && String(typed) !== String(wanted)) {
      throw new UsageError(
        `mnist: ${option} must be left out beside --resume, or be ${wanted} as before, got ${typed}.`,
      );
    }
  };
  for (const key of Object.keys(SETTING_OPTIONS) as (keyof Settings)[]) {
    check(SETTING_OPTIONS[key], settings[key], checkpoint.settings[key]);
  }
  check('--digits', digits, checkpoint.request.drawn?.train ?? 'none');
}
