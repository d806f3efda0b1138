import {describe, expect, it} from 'vitest';
import {UsageError} from '../../../examples/mnist/node/errors';
import {studyCommand} from '../../../studies/command/studyCommand';
import {studies} from '../../../studies/studies';
import {Screen} from '../../support/screen';

describe('studyCommand', () => {
  it('prints its help, with a line for every study', async () => {
    const screen = new Screen();
    expect(await studyCommand(['--help'], screen)).toBe(0);
    for (const {name, about} of studies) expect(screen.text).toContain(`  ${name.padEnd(18)} ${about} (`);
  });

  it('refuses a study that there is not, and a folder without digits, before it trains or writes', async () => {
    const screen = new Screen();
    await expect(studyCommand(['everything'], screen)).rejects.toThrow(UsageError);
    await expect(studyCommand(['reference', '--data', 'no/such/folder'], screen)).rejects.toThrow(
      "study: --data must name the folder of MNIST's four files. loadDigits: folder must be a folder that can be read, got 'no/such/folder'.",
    );
    expect(screen.text).toBe('');
  });
});
