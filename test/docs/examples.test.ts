/**
 * @file Every example in the doc comments and the documents runs, and gives the values that it
 *   names.
 */
import * as tf from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import '../support/backends';
import {
  commonScope,
  type Example,
  examplesInComments,
  examplesInMarkdown,
  filesShown,
  installedBy,
  type Program,
  programsIn,
  RUN_ELSEWHERE,
  runExample,
  runsElsewhere,
} from '../support/docExamples';
import {freshWasm} from '../support/freshWasm';
import {readSource, type SourceText, sourcesIn} from '../support/sources';

const inComments = sourcesIn('src', '.ts').flatMap(examplesInComments);
const documents = [readSource('README.md'), ...sourcesIn('docs', '.md')];

beforeEach(async () => {
  await tf.setBackend('cpu');
});

/** Threads are for a process that has not used the wasm backend yet. */
function beforeThreads({code}: Example): void {
  if (code.includes('enableWasmThreads(')) freshWasm();
}

afterEach(async () => {
  // An example may have called it; what a call returns puts the stock kernels back.
  enableWasmTraining()();
  tf.env().set('PROD', false);
  await tf.setBackend('cpu');
});

describe('The examples in the doc comments', () => {
  it.each(inComments.map((example) => [`${example.path}:${example.line}`, example] as const))(
    'run, and give the values that they name: %s',
    async (_, example) => {
      beforeThreads(example);
      await runExample(example, commonScope());
    },
  );

  it('are found', () => {
    const files = inComments.map(({path}) => path);
    expect(files).toContain('src/selectors/topK.ts');
    expect(files).toContain('src/backends/wasm/enableWasmTraining.ts');
    expect(files.filter((path) => path === 'src/losses/squaredError.ts')).toHaveLength(2);
  });
});

const programs = documents.flatMap((document) =>
  programsIn(document)
    .filter((program) => !runsElsewhere(program))
    .map((program) => [document.path, program.file ?? 'all blocks', program, document] as const),
);

describe('The examples in the documents', () => {
  it.each(programs)(
    'run as printed with the packages that it installs, and give the values that they name: %s, %s',
    async (_, __, program, document) => {
      beforeThreads(program);
      await runExample(program, {}, installedBy(document));
    },
  );
});

describe('The files that the documents show', () => {
  it('run in Node, or each in the test that is listed for it', () => {
    const inNode = programs.map(([path, name]) => `${path} ${name}`);
    const shown = documents.flatMap(filesShown);
    expect(shown.filter((file) => !inNode.includes(file)).sort()).toEqual(Object.keys(RUN_ELSEWHERE).sort());
    for (const test of Object.values(RUN_ELSEWHERE)) expect(() => readSource(test)).not.toThrow();
  });
});

describe('The test of the examples', () => {
  const inMarkdown = (text: string): SourceText => ({path: 'guide.md', text});
  const run = async (...lines: string[]) => {
    const [program] = programsIn(inMarkdown(lines.join('\n'))) as [Program];
    const {k} = await runExample(program, commonScope());
    return {k};
  };
  const block = (...lines: string[]) => ['# Guide', '', '```ts', ...lines, '```'];

  it('finds code in doc comments up to the next tag', () => {
    const text = [
      '',
      '/**',
      ' * Does it.',
      ' *',
      ' * @example',
      ' * f(1);   // 2',
      ' * g();',
      ' *',
      ' * @see This',
      ' */',
    ];
    expect(examplesInComments({path: 'f.ts', text: text.join('\n')})).toEqual([
      {path: 'f.ts', line: 6, code: 'f(1);   // 2\ng();\n'},
    ]);
  });

  it('finds blocks of TypeScript and JavaScript in documents, and no others', () => {
    const text = [
      '```sh',
      'npm ci',
      '```',
      '```html',
      '<script>1</script>',
      '```',
      '```js',
      'one();',
      '```',
      '```ts',
      '```',
    ];
    expect(examplesInMarkdown(inMarkdown(text.join('\n')))).toEqual([
      {path: 'guide.md', line: 8, code: 'one();\n', isTyped: false, file: undefined},
      {path: 'guide.md', line: 11, code: '', isTyped: true, file: undefined},
    ]);
  });

  it.each([
    'tf.tensor1d([1, 2]).dataSync();   // Float32Array [1, 2]',
    "tf.tensor1d([1, 2], 'int32').dataSync();   // Int32Array [1, 2]",
    "tf.tensor1d([1, 2], 'int32');   // int32 [1, 2]",
    'Math.log(4);   // 1.386294',
    '[[1, 2], [3]];   // [[1, 2], [3]]',
    '[];   // []',
    '-1e-3;   // −0.001',
    '[NaN, -Infinity];   // [NaN, -Infinity]',
    "'recompute';   // 'recompute'",
    'true;   // true',
    'await Promise.resolve(2);   // 2',
    'const kept = 2;   // 2',
    'const {kept} = await Promise.resolve({kept: 2});   // one read; kept is 2',
    'const step = {strategy: 1};   // step.strategy is 1',
    'const kept: number = 3;   // how many',
  ])('accepts %s', async (code) => {
    await expect(run(...block(code))).resolves.toBeDefined();
  });

  it.each([
    [
      'tf.tensor1d([1, 2]).dataSync();   // Float32Array [1, 3]',
      'expected Float32Array [1, 3], got Float32Array [1, 2]',
    ],
    ['tf.tensor1d([1, 2]).dataSync();   // Int32Array [1, 2]', 'expected Int32Array [1, 2], got Float32Array [1, 2]'],
    ['tf.tensor1d([1, 2]).dataSync();   // Float32Array [1]', 'expected Float32Array [1], got Float32Array [1, 2]'],
    ['tf.tensor1d([1, 2]);   // int32 [1, 2]', 'expected int32 [1, 2], got float32 [1, 2]'],
    ['Math.log(4);   // 1.3864', 'expected 1.3864, got 1.3862943611198906'],
    ['const kept = 3;   // kept is 2', 'expected 2, got 3'],
    ["'masked';   // 'recompute'", "expected 'recompute', got masked"],
    ['undefined;   // 0', 'expected 0, got undefined'],
    ['Math.log(4);   // 1.38 or so', "the comment '1.38 or so' begins like a value and is none"],
    ['const [a, b] = [1, 2];   // 1', "the comment '1' does not say whose value it is"],
    ['topK({k: 0});', 'topK: k must be an integer >= 1, got 0.'],
    ['nothing();', 'nothing is not defined'],
    ["import {bottomK} from 'ohem-tfjs';", "'ohem-tfjs' does not export bottomK"],
    ['const = 3;', 'Variable declaration expected.'],
  ])('fails for %s, and names file and line', async (code, message) => {
    await expect(run(...block('', '// First', code))).rejects.toThrow(new Error(`guide.md:6: ${message}`));
  });

  it('fails for a module that an example cannot import', async () => {
    await expect(run(...block("import 'left-pad';"))).rejects.toThrow(
      /^guide\.md:4: no module 'left-pad' for examples/,
    );
  });

  it('lets a block use the names of the blocks before, but not declare them again', async () => {
    const blocks = [
      ...block("import {topK as hardest} from 'ohem-tfjs';", 'const k = 2;', 'let select = hardest({k});'),
      ...block('select = hardest({k: k + 1});', 'function size() { return select(tf.ones([9])).indices.size; }'),
      ...block('size();   // 3'),
    ];
    expect(await run(...blocks)).toEqual({k: 2});
    await expect(run(...blocks, ...block('const k = 7;'))).rejects.toThrow(/'k' has already been declared/);
  });

  it('gives a program no name that it does not import, and no package that it does not install', async () => {
    const lines = ['```sh', 'npm install ohem-tfjs @tensorflow/tfjs-core', '```'];
    const alone = (...code: string[]) => {
      const document = inMarkdown([...lines, '```ts', ...code, '```'].join('\n'));
      return runExample(programsIn(document)[0] as Program, {}, installedBy(document));
    };
    await expect(alone("import {topK} from 'ohem-tfjs/selectors';", 'topK({k: 1});')).resolves.toBeDefined();
    await expect(alone('topK({k: 1});')).rejects.toThrow(new Error('guide.md:5: topK is not defined'));
    await expect(alone("import '@tensorflow/tfjs';")).rejects.toThrow(
      /^guide\.md:5: '@tensorflow\/tfjs' must be installed by the document/,
    );
  });

  it('takes a block whose fence names a file as a program of its own', () => {
    const text = ['```js', 'one();', '```', '```js index.js', 'two();', '```', '```js', 'three();', '```'].join('\n');
    expect(programsIn(inMarkdown(text)).map(({file, code}) => [file, code])).toEqual([
      [undefined, '\none();\n\n\n\n\n\nthree();\n'],
      ['index.js', '\n\n\n\ntwo();\n'],
    ]);
  });

  it('checks values in loops and functions too', async () => {
    await expect(run(...block('for (const i of [1, 2]) {', '  i;   // 1', '}'))).rejects.toThrow(
      new Error('guide.md:5: expected 1, got 2'),
    );
  });
});
