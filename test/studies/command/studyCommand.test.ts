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

  it('looks for no digits if a study has data of its own', async () => {
    const screen = new Screen();
    const call = studyCommand(['epochs-mails', '--data', 'no/such/folder', '--out', '/dev/null'], screen);
    await expect(call).rejects.toThrow(
      /^study: --out must be a folder that can be written to, got .dev.null.epochs-mails/,
    );
  });
});
