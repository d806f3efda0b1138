import {FailedError, messageOf} from '../examples/mnist/node/errors';
import {writeFiles} from '../examples/mnist/node/writeFiles';
import {renderSvg} from '../examples/mnist/report/render';
import type {Provenance} from './seedFile';
import type {Study} from './study';

/**
 * Writes what a study came to: `results.json`, and each figure for light and for dark pages.
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
  const files: [name: string, content: string][] = [
    ['results.json', `${JSON.stringify({...provenance, seeds: seeds.length, ...summary}, sixDigits, 1)}\n`],
  ];
  for (const [name, figure] of Object.entries(figures)) {
    for (const theme of ['light', 'dark'] as const) {
      files.push([`${name}-${theme}.svg`, await renderSvg(figure(theme))]);
    }
  }
  return writeFiles(folder, files).catch((error: Error) => {
    throw new FailedError(
      `study: --out must be a folder that can be written to, got ${folder} (${messageOf(error)}). ` +
        'Every seed is there still: put that right, and give the same command again.',
      {cause: error},
    );
  });
}

/** More would only make a file of means look surer than it is. */
const sixDigits = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value);
