import {writeFiles} from '../../examples/mnist/node/writeFiles';
import {renderSvg} from '../../examples/mnist/report/render';
import type {Study} from '../kit/study';
import type {Provenance} from './keptFile';
import {unwritable} from './unwritable';

/**
 * Writes the results of a study: `results.json`, and each figure for light and for dark pages.
 *
 * @returns the paths of the files.
 * @throws FailedError with a message for people.
 */
export async function writeStudy(
  study: Study,
  provenance: Provenance,
  seeds: unknown[],
  folder: string,
): Promise<string[]> {
  const {summary, figures} = study.report(seeds, provenance.settings);
  // Seeds of other code may be among them: each of their files has the hash of its own.
  const {source: _, ...about} = provenance;
  const files: [name: string, content: string][] = [
    ['results.json', `${JSON.stringify({...about, seeds: seeds.length, ...summary}, sixDigits, 1)}\n`],
  ];
  for (const [name, figure] of Object.entries(figures)) {
    for (const theme of ['light', 'dark'] as const) {
      files.push([`${name}-${theme}.svg`, await renderSvg(figure(theme))]);
    }
  }
  return writeFiles(folder, files).catch((error) => {
    const advice = 'Every seed is there still: put that right, and give the same command again.';
    throw unwritable(folder, error, advice);
  });
}

/** More would only make a file of means look surer than it is. */
const sixDigits = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value);
