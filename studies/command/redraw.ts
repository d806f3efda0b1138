import type {Study} from '../kit/study';
import {writeStudy} from './writeStudy';

/**
 * Draws a study whose results are committed. It names no versions: each of the files that it reads
 * has those of its own.
 *
 * @returns the paths of the files.
 * @throws FailedError with a message for people.
 */
export async function redraw(study: Study, folder: string): Promise<string[]> {
  const settings = study.settings(study.steps);
  const reading = study.train(1, NO_DIGITS, settings);
  let next = await reading.next();
  while (!next.done) next = await reading.next();
  return writeStudy(study, {study: study.name, settings, versions: {}}, [next.value], folder);
}

const none = {count: 0, images: new Uint8Array(0), labels: new Uint8Array(0)};
/** For studies that have data of their own. */
export const NO_DIGITS = {train: none, test: none};
