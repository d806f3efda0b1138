import type {IdxFile} from './mnistFiles';

/**
 * The names under which a file is looked for, in this order: MNIST goes around gzipped or not, and
 * as `x.idx3-ubyte`.
 */
export function idxFileNames({name}: IdxFile): string[] {
  const dotted = name.replace('-idx', '.idx');
  return [`${name}.gz`, name, `${dotted}.gz`, dotted];
}
