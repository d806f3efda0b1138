import {PRODUCT_CODE, SHARED_PRODUCT_CODE} from './productCode';
import type {WasmBackend} from './workbench';

/**
 * A matrix in the memory of the backend: its first byte, and the bytes from row to row, and from
 * column to column.
 */
export interface Matrix {
  at: number;
  row: number;
  column: number;
}

/**
 * Adds a product to the rows of `sums`, which are adjacent:
 *
 *     sums[i, j] += Σ_k a[i, k] · b[k, j],    with rows × inner × columns multiplications
 */
type AddProduct = (sums: number, a: Matrix, b: Matrix, rows: number, inner: number, columns: number) => void;

/** The functions of product.wat, with all places and distances in bytes. */
interface Code {
  /** Copies `count` numbers of each row. */
  copy(from: number, fromRow: number, to: number, toRow: number, rows: number, count: number): void;
  /** Packs up to `PANEL` columns of a matrix. */
  pack(from: number, row: number, column: number, packed: number, rows: number, columns: number): void;
  /** Adds a product with a packed panel to `PANEL` columns: `c[i, j] += Σ_k a[i, k] · b[k, j]`. */
  addPanel(
    ...[a, aRow, aColumn, b, c, cRow, rows, inner]: [number, number, number, number, number, number, number, number]
  ): void;
}

export interface Products extends Code {
  addProduct: AddProduct;
}

/** The bytes of a number. */
export const WORD = Float32Array.BYTES_PER_ELEMENT;
/** The columns of a packed panel, and the bytes of its rows. */
export const PANEL = 8;
export const PANEL_ROW = PANEL * WORD;
/** The rows and terms of a block: its panel of the right factor fits into the fastest cache. */
const BLOCK = {rows: 256, terms: 512};
const PANEL_SIZE = BLOCK.terms * PANEL_ROW;

/** From this many multiplications on, XNNPACK on two threads is faster than one thread here. */
const LARGE_ON_THREADS = 2 ** 26;

const made = new WeakMap<object, (Products & {isShared: boolean}) | null>();

/**
 * Returns the products for the memory of a backend. Returns null where their code cannot run, above
 * all without SIMD; and for large ones on threads, where XNNPACK multiplies on all of them.
 */
export function productsFor({wasm}: WasmBackend, multiplications: number): Products | null {
  let products = made.get(wasm);
  if (products === undefined) {
    products = productsIn(wasm);
    made.set(wasm, products);
  }
  return products?.isShared && multiplications >= LARGE_ON_THREADS ? null : products;
}

function productsIn({asm, wasmMemory, _malloc}: WasmBackend['wasm']): (Products & {isShared: boolean}) | null {
  let code: Code;
  let isShared: boolean;
  try {
    const memory = [wasmMemory, ...Object.values(asm ?? {})].find((part) => part instanceof WebAssembly.Memory);
    if (!memory || !_malloc) return null;
    // By its name: test runners give each file an ArrayBuffer of its own.
    isShared = String(memory.buffer) === '[object SharedArrayBuffer]';
    const bytes = Uint8Array.from(atob(isShared ? SHARED_PRODUCT_CODE : PRODUCT_CODE), (character) =>
      character.charCodeAt(0),
    );
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {host: {memory}});
    code = instance.exports as unknown as Code;
  } catch {
    return null;
  }
  const room = _malloc(PANEL_SIZE * (1 + BLOCK.rows / PANEL) + BLOCK.rows * PANEL_ROW);
  return room === 0 ? null : {...code, addProduct: productBy(code, room), isShared};
}

function productBy({copy, pack, addPanel}: Code, room: number): AddProduct {
  const edge = room + PANEL_SIZE;
  const packedRows = edge + BLOCK.rows * PANEL_ROW;

  /** Adds the product of one block of rows, with its rows as packed panels if it is transposed. */
  const addBlock = (sums: number, a: Matrix, b: Matrix, rows: number, inner: number, columns: number) => {
    const isTransposed = a.column > a.row;
    // The last columns are added up in rows of a whole panel.
    const rest = columns % PANEL;
    const row = columns * WORD;
    const last = sums + (columns - rest) * WORD;
    if (rest > 0) copy(last, row, edge, PANEL_ROW, rows, rest);
    for (let k = 0; k < inner; k += BLOCK.terms) {
      const terms = Math.min(BLOCK.terms, inner - k);
      const left = a.at + k * a.column;
      for (let i = 0; isTransposed && i < rows; i += PANEL) {
        const panel = packedRows + (i / PANEL) * PANEL_SIZE;
        pack(left + i * a.row, a.column, a.row, panel, terms, Math.min(PANEL, rows - i));
      }
      for (let j = 0; j < columns; j += PANEL) {
        const count = Math.min(PANEL, columns - j);
        pack(b.at + k * b.row + j * b.column, b.row, b.column, room, terms, count);
        const [to, toRow] = count === PANEL ? [sums + j * WORD, row] : [edge, PANEL_ROW];
        if (!isTransposed) addPanel(left, a.row, a.column, room, to, toRow, rows, terms);
        for (let i = 0; isTransposed && i < rows; i += PANEL) {
          const panel = packedRows + (i / PANEL) * PANEL_SIZE;
          addPanel(panel, WORD, PANEL_ROW, room, to + i * toRow, toRow, Math.min(PANEL, rows - i), terms);
        }
      }
    }
    if (rest > 0) copy(edge, PANEL_ROW, last, row, rows, rest);
  };

  return (sums, a, b, rows, inner, columns) => {
    for (let i = 0; i < rows; i += BLOCK.rows) {
      const block = {...a, at: a.at + i * a.row};
      addBlock(sums + i * columns * WORD, block, b, Math.min(BLOCK.rows, rows - i), inner, columns);
    }
  };
}
