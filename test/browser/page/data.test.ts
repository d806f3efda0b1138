import type {Browser} from 'playwright';
import {afterAll, afterEach, beforeAll, expect, it} from 'vitest';
import {drawDigits} from '../../../examples/mnist/data/drawnDigits';
import {idxImages, idxLabels} from '../../examples/mnist/data/idxFixtures';
import {launchChromium} from '../../support/chromium';
import {type LivePage, openPage, QUICKEST} from './livePage';
import {type ServedPage, servePage} from './servePage';

let server: ServedPage;
let browser: Browser;
let live: LivePage;
beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(), launchChromium()]);
  live = await openPage(browser, server.url + QUICKEST);
});
afterEach(async () => {
  if (await live.page.getByRole('button', {name: 'Reset'}).isEnabled()) await live.press('Reset');
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

interface FileToChoose {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

const file = (name: string, bytes: Uint8Array): FileToChoose => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(bytes),
});

function fourFiles(): FileToChoose[] {
  const [train, test] = [drawDigits({count: 40, seed: 5}), drawDigits({count: 10, seed: 6})];
  return [
    file('train-images-idx3-ubyte', idxImages(train.images)),
    file('train-labels-idx1-ubyte', idxLabels(train.labels)),
    file('t10k-images-idx3-ubyte', idxImages(test.images)),
    file('t10k-labels-idx1-ubyte', idxLabels(test.labels)),
  ];
}

const choose = (files: FileToChoose[]) => live.page.locator('#files').setInputFiles(files);
const source = () => live.page.locator('#source').innerText();
const filesSaid = () => live.page.locator('#files-said').innerText();

/** Drops a file as a file manager does. */
const drop = (name: string, text: string) =>
  live.page.evaluate(
    ([name, text]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text as string], name as string));
      document.body.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
    },
    [name, text],
  );

it('names a dropped file that is none of the four', async () => {
  await drop('cat.png', 'meow');
  expect(await live.waitForTrouble('cat.png')).toMatch(
    /files must be train-images-idx3-ubyte, .*, gzipped or not, got cat\.png\. Choose those four, and no other\.$/,
  );
});

it('says which files are still missing', async () => {
  await drop('train-labels-idx1-ubyte', 'anything');
  expect(await filesSaid()).toBe(
    '1 of 4; still missing: train-images-idx3-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte',
  );
  await live.press('Start');
  await live.waitForTrouble('Choose the four files first');
});

it('names a file that is not what its name says, and what is wrong with it', async () => {
  const [images, , ...rest] = fourFiles() as [FileToChoose, FileToChoose, FileToChoose, FileToChoose];
  await choose([images, {...images, name: 'train-labels-idx1-ubyte'}, ...rest]);
  expect(await live.waitForTrouble('train-labels-idx1-ubyte')).toMatch(
    /^parseIdxLabels: train-labels-idx1-ubyte must start with the magic number 0x00000801, got 0x00000803\. It holds images, where labels are due/,
  );
});

it('trains on four files of the user, names them, and says that they are not MNIST', async () => {
  await choose(fourFiles());
  await live.waitForSaid('The digits are there.');
  expect(await source()).toBe(
    'IDX files from the files that you chose, NOT the original MNIST: the checksum differs for train-images-idx3-ubyte, ' +
      'train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; 40 to train on, 10 to test',
  );
  await live.press('Start');
  await live.waitForStep(2);
  expect(await live.page.locator('#drawn').isVisible()).toBe(false);
});

it('says calmly that drawn digits are not MNIST', async () => {
  await live.page.getByRole('radio', {name: /Drawn by this page/}).check();
  await live.press('Start');
  await live.waitForStep(1);
  expect(await live.page.locator('#drawn').innerText()).toContain('not MNIST');
  expect(await source()).toBe('Digits drawn by this page; 60 to train on, 10 to test');
});

it('refuses a batch that is larger than the training set', async () => {
  await live.page.getByLabel('How many').fill('60');
  await live.page.getByRole('checkbox', {name: '512/384 the'}).check();
  await live.press('Start');
  await live.waitForTrouble('The run 512/384 must have n <= 60, the number of digits to train on.');
  await live.page.getByRole('checkbox', {name: '512/384 the'}).uncheck();
});

it('says why MNIST cannot be downloaded, and what to do', async () => {
  await live.page.context().route(/googleapis|amazonaws/, (route) => route.abort());
  await live.page.getByRole('radio', {name: /MNIST, downloaded/}).check();
  await live.press('Start');
  expect(await live.waitForTrouble('MNIST could not be downloaded')).toMatch(
    /Cannot use https:\/\/ossci-datasets.*: .* Choose the four files from your disk, or train on drawn digits\.$/,
  );
  expect(await live.page.getByRole('button', {name: 'Start'}).isEnabled()).toBe(true);
});
