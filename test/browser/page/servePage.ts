import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {extname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const DIST = fileURLToPath(new URL('../../../examples/mnist/web/dist/', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** The built page as a plain server of files has it. */
export interface ServedPage {
  /** The folder of the page: any, as it must work from all. */
  url: string;
  /** The same page on a server that has lost the wasm binaries. */
  urlWithoutWasm: string;
  /** Files that were requested since the last call. */
  asked(): string[];
  close(): Promise<unknown>;
}

export async function servePage(): Promise<ServedPage> {
  let asked = new Set<string>();
  const server = createServer(async ({url = '', method}, response) => {
    const [, folder, path = ''] = /^\/(some\/where|without\/wasm)\/([^?]*)/.exec(url) ?? [];
    const file = path === '' ? 'index.html' : path;
    const isLost = folder === undefined || (folder === 'without/wasm' && file.endsWith('.wasm'));
    const body = isLost ? undefined : await readFile(join(DIST, file)).catch(() => undefined);
    if (body && method === 'GET') asked.add(file);
    response.writeHead(body ? 200 : 404, {'content-type': TYPES[extname(file)] ?? 'application/octet-stream'});
    response.end(method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const root = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url: `${root}/some/where/`,
    urlWithoutWasm: `${root}/without/wasm/`,
    asked() {
      const files = [...asked];
      asked = new Set();
      return files;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** Where a file of the built page is. */
export const builtPath = (file: string): string => join(DIST, file);

/** The bytes of a file of the built page. */
export const builtFile = (file: string): Promise<Buffer> => readFile(join(DIST, file));
