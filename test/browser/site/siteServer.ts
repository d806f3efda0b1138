import {type PreviewServer, preview} from 'vite';
import {ROOT} from '../../support/sources';

/** The folder that `npm run site` writes. */
export const SITE = `${ROOT}site-dist/`;

/** Any path, since the site must work from all. */
const SUB_PATH = '/some/sub/path/';

export interface SiteServer {
  /** The address of the start page, without its file name. */
  url: string;
  close(): Promise<void>;
}

/** Serves the built site below a sub-path, as a plain server of files. */
export async function serveSite(): Promise<SiteServer> {
  const server: PreviewServer = await preview({
    configFile: false,
    logLevel: 'warn',
    root: ROOT,
    base: SUB_PATH,
    appType: 'mpa',
    build: {outDir: SITE},
    preview: {port: 0, host: 'localhost'},
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === 'string') throw new Error('serveSite: the server must have a port.');
  return {url: `http://localhost:${address.port}${SUB_PATH}`, close: () => server.close()};
}
