/** @file The pages that the documents show, which run in a browser as printed. */
import assert from 'node:assert/strict';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Browser, Page} from 'playwright';
import {namedFile} from '../../support/namedFiles';
import {cdn} from './cdn';
import {install, run} from './packed';
import {openPage} from './trainedPage';

const PACKAGES = ['ohem-tfjs', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm', 'vite'];

/** Pages of one file, which load all scripts from the CDN. */
const FROM_CDN = [
  ['README.md', 'page.html'],
  ['docs/backends.md', 'wasm.html'],
  ['docs/faq.md', 'map.html'],
] as const;

interface Built {
  document: string;
  /** The files that the document shows. */
  names: string[];
  /** The module of the page. */
  main: string;
  until: RegExp;
}

const BUILT: Built[] = [
  {
    document: 'docs/backends.md',
    names: ['wasm.js'],
    main: `import * as tf from '@tensorflow/tfjs';
      import './wasm.js';
      document.body.append('3 by ' + tf.getBackend() + ': ' + tf.add(1, 2).dataSync()[0]);`,
    until: /3 by wasm: 3/,
  },
  {
    document: 'docs/faq.md',
    names: ['worker.js', 'page.js'],
    main: "import './page.js';",
    until: /Trained: weights -?\d/,
  },
];

async function check(browser: Browser, folder: string, opening: Parameters<typeof openPage>[2]): Promise<void> {
  const {errors} = await openPage(browser, folder, opening);
  assert.deepEqual(errors, [], `errors in the console of ${folder}`);
}

/** Opens each page of a document in a project that has the packed library. */
export async function checkDocumentPages(project: string, tarball: string, browser: Browser): Promise<void> {
  install(project, PACKAGES, tarball);
  const folderOf = (name: string) => {
    const folder = join(project, name);
    mkdirSync(folder);
    return folder;
  };
  for (const [document, name] of FROM_CDN) {
    const folder = folderOf(name);
    writeFileSync(join(folder, 'index.html'), namedFile(document, name));
    await check(browser, folder, {until: /Trained: loss 0\.\d/, prepare: cdn(project)});
  }
  for (const {document, names, main, until} of BUILT) {
    const folder = folderOf(names[0] as string);
    for (const name of names) writeFileSync(join(folder, name), namedFile(document, name));
    writeFileSync(join(folder, 'main.js'), main);
    const page = '<!doctype html><body><script type="module" src="main.js"></script></body>';
    writeFileSync(join(folder, 'index.html'), page);
    run(project, 'npx', ['vite', 'build', folder]);
    await check(browser, join(folder, 'dist'), {until});
  }
}

const PANEL = `import {createRoot} from 'react-dom/client';
  import {trainRareClass} from './rareClass';
  import {useTraining} from './useTraining.jsx';
  function Panel() {
    const {epochs, start} = useTraining(trainRareClass);
    return <button onClick={start}>Train: {epochs.length} epochs</button>;
  }
  createRoot(document.querySelector('#root')).render(<Panel />);`;

/** Runs the hook of the FAQ in the project of the React example, whose page it replaces. */
export async function checkHook(project: string, browser: Browser): Promise<void> {
  writeFileSync(join(project, 'src/useTraining.jsx'), namedFile('docs/faq.md', 'useTraining.jsx'));
  writeFileSync(join(project, 'src/main.tsx'), PANEL);
  run(project, 'npx', ['vite', 'build']);
  const act = (page: Page) => page.getByRole('button', {name: 'Train'}).click();
  await check(browser, join(project, 'dist'), {until: /Train: 12 epochs/, act});
}
