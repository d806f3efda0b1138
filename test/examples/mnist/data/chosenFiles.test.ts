import {describe, expect, it} from 'vitest';
import {checkFileName, digitsFromFiles, idxFileNamed, missingFiles} from '../../../../examples/mnist/data/chosenFiles';
import {MNIST_FILES} from '../../../../examples/mnist/data/mnistFiles';
import {idxImages, TINY_BYTES, TINY_DIGITS, TINY_FILES, tinyGzip} from './idxFixtures';

const file = (name: string, bytes = TINY_BYTES[name] as Uint8Array) => new File([new Uint8Array(bytes)], name);
const four = () => Object.keys(TINY_BYTES).map((name) => file(name));

describe('idxFileNamed', () => {
  it.each([
    'train-images-idx3-ubyte',
    'train-images-idx3-ubyte.gz',
    'train-images.idx3-ubyte',
    'Train-Images-IDX3-ubyte.GZ',
    'train-images-idx3-ubyte (1).gz',
    'train-images-idx3-ubyte.gz(2)',
  ])('knows %s', (name) => {
    expect(idxFileNamed(name)).toBe(MNIST_FILES.trainImages);
  });

  it('knows no other', () => {
    expect(idxFileNamed('train-images')).toBeUndefined();
    expect(idxFileNamed('cat.png')).toBeUndefined();
  });
});

describe('missingFiles', () => {
  it('names those that are not given, in order', () => {
    expect(missingFiles(['t10k-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte']).map(({name}) => name)).toEqual([
      'train-images-idx3-ubyte',
      't10k-labels-idx1-ubyte',
    ]);
  });
});

describe('checkFileName', () => {
  it('says what the files may be called', () => {
    expect(() => checkFileName('cat.png')).toThrow(
      new Error(
        'digitsFromFiles: files must be train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, ' +
          't10k-labels-idx1-ubyte, gzipped or not, got cat.png. Choose those four, and no other.',
      ),
    );
  });
});

describe('digitsFromFiles', () => {
  it('reads the four, gzipped or not, in any order', async () => {
    const [first, ...rest] = four();
    const gzipped = file(`${first?.name}.gz`, tinyGzip(first?.name ?? '') as Uint8Array);
    const {train, test, source, description} = await digitsFromFiles([...rest.reverse(), gzipped], TINY_FILES);
    expect({train, test}).toEqual(TINY_DIGITS);
    expect(source).toBe('files');
    expect(description).toBe('MNIST from the files that you chose');
  });

  it('takes another set, and says that it is one', async () => {
    const {description} = await digitsFromFiles(four());
    expect(description).toMatch(
      /^IDX files from the files that you chose, NOT the original MNIST: .* train-images-idx3/,
    );
  });

  it('names one that is missing', async () => {
    await expect(digitsFromFiles(four().slice(1), TINY_FILES)).rejects.toThrow(
      new Error(
        'digitsFromFiles: files must hold train-images-idx3-ubyte.gz, got none of that name. Choose it too, gzipped or not.',
      ),
    );
  });

  it('names one that is damaged, and says how', async () => {
    const [images, ...rest] = four();
    const short = file(images?.name ?? '', idxImages(new Uint8Array(784), {count: 2}));
    await expect(digitsFromFiles([short, ...rest], TINY_FILES)).rejects.toThrow(
      new RangeError(
        'parseIdxImages: train-images-idx3-ubyte must be 1584 bytes long, as its header says (16 + 2 * 784), got 800. ' +
          'The file is cut short: get it again.',
      ),
    );
  });
});
