import {expect, it} from 'vitest';
import {readOptions} from '../../../../examples/mnist/node/options';
import {reproduceCommand} from '../../../../examples/mnist/report/reproduceCommand';
import {exampleResults} from './exampleResults';

const fromFolder = (folder: string, anyDigits?: true) => {
  const results = exampleResults({steps: 1, source: 'folder'});
  return {...results, data: {...results.data, folder, ...(anyDigits && {anyDigits})}};
};

it('is the command of the same settings', () => {
  const results = exampleResults({runs: ['512/384', '512/384 random']});
  const command = reproduceCommand(results);
  expect(command).toBe(
    'npm run mnist -- --steps 600 --lr 0.0003 --seed 1 --backend wasm --runs 512/384,512/384-random',
  );
  expect(readOptions(command.split(' ').slice(4)).settings).toEqual(results.settings);
});

it('draws as many digits again', () => {
  expect(reproduceCommand(exampleResults({steps: 1, source: 'drawn'}))).toMatch(/ --digits 10000$/);
});

it('names the folder that they came from, and that they may be any', () => {
  expect(reproduceCommand(fromFolder('/data/mnist'))).toMatch(/ --data \/data\/mnist$/);
  expect(reproduceCommand(fromFolder('/my data', true))).toMatch(/ --data "\/my data" --any-digits$/);
});

it('has no placeholder for a folder that the results do not hold', () => {
  expect(reproduceCommand(exampleResults({steps: 1, source: 'folder'}))).not.toContain('--data');
});

it('does not let a name of a run out of its quotes', () => {
  const command = (runs: string) => reproduceCommand(exampleResults({steps: 1, runs: [runs]}));
  expect(command("'; rm -rf ~; '")).toContain(`--runs "'; rm -rf ~; '"`);
  expect(command("'; rm -rf $HOME; '")).toContain("--runs ''\\''; rm -rf $HOME; '\\'''");
});
