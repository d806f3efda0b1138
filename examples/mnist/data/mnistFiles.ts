export interface IdxFile {
  /** Without `.gz`. */
  name: string;
  /** Of the decompressed bytes: the same digits may be compressed in many ways. */
  sha256: string;
  /** Decompressed bytes. */
  size: number;
}

/** The four files of a data set in the format of MNIST. */
export interface IdxFiles {
  trainImages: IdxFile;
  trainLabels: IdxFile;
  testImages: IdxFile;
  testLabels: IdxFile;
}

/**
 * MNIST: LeCun, Cortes & Burges, "The MNIST database of handwritten digits", 1998
 * (yann.lecun.com/exdb/mnist).
 */
export const MNIST_FILES: IdxFiles = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    size: 47_040_016,
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    size: 60_008,
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    size: 7_840_016,
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    size: 10_008,
  },
};

/** Where MNIST can be downloaded, gzipped, in the order they are tried; each ends with a slash. */
export const MNIST_MIRRORS: readonly string[] = [
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
];
