import {describe, expect, it} from 'vitest';
import {DEFAULTS} from '../../../../examples/mnist/experiment/defaults';
import {DEFAULT_OUT, DEFAULT_SAVE_EVERY} from '../../../../examples/mnist/node/defaults';
import {UsageError} from '../../../../examples/mnist/node/errors';
import {HELP} from '../../../../examples/mnist/node/help';
import {readOptions} from '../../../../examples/mnist/node/options';

const read = (line: string) => readOptions(line === '' ? [] : line.split(' '));
const NOTHING = {settings: {}, saveEvery: DEFAULT_SAVE_EVERY};

describe('readOptions', () => {
  it('reads nothing from nothing', () => {
    expect(read('')).toEqual(NOTHING);
  });

  it('reads every setting', () => {
    expect(read('--steps 30000 --lr 1e-4 --seed 7 --backend cpu --runs 512/384,512/384-random')).toEqual({
      ...NOTHING,
      settings: {steps: 30_000, learningRate: 1e-4, seed: 7, backend: 'cpu', runs: ['512/384', '512/384 random']},
    });
  });

  it('reads where digits come from and where results go', () => {
    expect(read('--data ./mnist --any-digits --out there --fresh --save-every 0.5')).toEqual({
      settings: {},
      data: './mnist',
      anyDigits: true,
      out: 'there',
      fresh: true,
      saveEvery: 0.5,
    });
    expect(read('--digits 600')).toEqual({...NOTHING, digits: 600});
    expect(read('--threads 2')).toEqual({...NOTHING, threads: 2});
    expect(read('--resume there')).toEqual({...NOTHING, resume: 'there'});
  });

  it('reads values behind an equals sign', () => {
    expect(read('--steps=5 --out=--odd').settings).toEqual({steps: 5});
    expect(read('--out=--odd').out).toBe('--odd');
  });

  it('takes runs with blanks in their names', () => {
    expect(readOptions(['--runs', '512/384, 512/384 random']).settings.runs).toEqual(['512/384', '512/384 random']);
  });

  it('takes the last of two', () => {
    expect(read('--steps 5 --steps 6').settings).toEqual({steps: 6});
  });

  it.each(['--help', '-h', '--steps 3 -h'])('reads %s', (line) => {
    expect(read(line).help).toBe(true);
  });

  it.each([
    ['--steps abc', 'mnist: --steps must be an integer >= 1, got abc.'],
    ['--steps 0', 'mnist: --steps must be an integer >= 1, got 0.'],
    ['--steps -3', 'mnist: --steps must be an integer >= 1, got -3.'],
    ['--steps 2.5', 'mnist: --steps must be an integer >= 1, got 2.5.'],
    ['--steps 0x10', 'mnist: --steps must be an integer >= 1, got 0x10.'],
    ['--steps 99999999999999999999', 'mnist: --steps must be an integer >= 1, got 99999999999999999999.'],
    ['--threads 0', 'mnist: --threads must be an integer >= 1, got 0.'],
    ['--threads 1.5', 'mnist: --threads must be an integer >= 1, got 1.5.'],
    ['--lr 0', 'mnist: --lr must be a number > 0, got 0.'],
    ['--lr -1', 'mnist: --lr must be a number > 0, got -1.'],
    ['--lr fast', 'mnist: --lr must be a number > 0, got fast.'],
    ['--lr Infinity', 'mnist: --lr must be a number > 0, got Infinity.'],
    ['--seed -1', 'mnist: --seed must be an integer from 0 to 4294967295, got -1.'],
    ['--seed 4294967296', 'mnist: --seed must be an integer from 0 to 4294967295, got 4294967296.'],
    ['--backend webgl', 'mnist: --backend must be wasm or cpu, got webgl.'],
    ['--runs 384/512', 'mnist: --runs must have k from 1 to n, got 384/512.'],
    ['--runs 512/384-easy', 'mnist: --runs must be runs like 512/384 or 512/384-random, got 512/384-easy.'],
    ['--runs 8/4,8/4', 'mnist: --runs must name each run once, got 8/4 twice.'],
    ['--digits 5', 'mnist: --digits must be an integer from 6 to 1000000, got 5.'],
    ['--save-every -1', 'mnist: --save-every must be a number >= 0, got -1.'],
    ['--steps', 'mnist: --steps must have a value, got none.'],
    ['--steps=', 'mnist: --steps must have a value, got none.'],
    ['--steps --lr 1', 'mnist: --steps must have a value, got --lr.'],
    ['--data', 'mnist: --data must have a value, got none.'],
    ['--fresh=yes', 'mnist: --fresh must stand without a value, got yes.'],
    ['--stpes 3', 'mnist: options must be those that --help names, got --stpes.'],
    ['--constructor 3', 'mnist: options must be those that --help names, got --constructor.'],
    ['-x', 'mnist: options must be those that --help names, got -x.'],
    ['--digits 60 --data .', 'mnist: --digits must not stand beside --data, got both.'],
    ['--fresh --resume there', 'mnist: --fresh must not stand beside --resume, got both.'],
    ['--out here --resume there', 'mnist: --out must not stand beside --resume, got both.'],
    ['--any-digits', 'mnist: --any-digits must stand beside --data, got it alone.'],
  ])('rejects %s', (line, message) => {
    expect(() => read(line)).toThrow(new UsageError(message));
  });

  it('tells about the -- of npm where a value stands alone', () => {
    expect(() => read('10')).toThrow(
      new UsageError(
        'mnist: arguments must be options, got 10. ' +
          'npm takes options for itself that do not stand behind --, as in: npm run mnist -- --steps 10.',
      ),
    );
  });
});

describe('HELP', () => {
  it('names every option, and none that there is not', () => {
    const named = new Set(HELP.match(/--[a-z-]{2,}/g));
    const values: Record<string, string> = {
      '--steps': '3',
      '--lr': '0.1',
      '--seed': '1',
      '--backend': 'cpu',
      '--threads': '2',
      '--runs': '8/4',
      '--digits': '60',
      '--data': '.',
      '--out': '.',
      '--save-every': '1',
      '--resume': '.',
    };
    const alone = ['--any-digits', '--fresh', '--help'];
    expect([...named].sort()).toEqual([...Object.keys(values), ...alone].sort());
    for (const [option, value] of Object.entries(values)) expect(() => readOptions([option, value])).not.toThrow();
  });

  it('tells the defaults', () => {
    for (const value of [DEFAULTS.steps, DEFAULTS.learningRate, DEFAULTS.seed, DEFAULTS.backend]) {
      expect(HELP).toContain(`(default ${value})`);
    }
    expect(HELP).toContain(`(default ${DEFAULT_OUT};`);
    expect(HELP).toContain('(default 512/512,1024/512,512/384,1024/128,512/384-random)');
    expect(HELP).toContain(`(default ${DEFAULT_SAVE_EVERY})`);
  });

  it('fits a screen of 120 columns', () => {
    expect(Math.max(...HELP.split('\n').map(({length}) => length))).toBeLessThanOrEqual(120);
  });
});
