import {expect, it} from 'vitest';
import {reproduceCommand} from '../../../../examples/mnist/report/reproduceCommand';
import {exampleResults} from './exampleResults';

it('is the command of the same settings, quoted for a shell', () => {
  expect(reproduceCommand(exampleResults({runs: ['512/384', '512/384 random']}))).toBe(
    "npm run mnist -- --steps 600 --lr 0.0003 --seed 1 --backend wasm --runs '512/384,512/384 random'",
  );
});

it('draws as many digits again, and asks for the folder that they came from', () => {
  expect(reproduceCommand(exampleResults({steps: 1, source: 'drawn'}))).toMatch(/ --digits 10000$/);
  expect(reproduceCommand(exampleResults({steps: 1, source: 'folder'}))).toMatch(/ --data DIR$/);
});

it('does not let a name of a run out of its quotes', () => {
  expect(reproduceCommand(exampleResults({steps: 1, runs: ["'; rm -rf ~; '"]}))).toContain(
    "--runs ''\\''; rm -rf ~; '\\'''",
  );
});
