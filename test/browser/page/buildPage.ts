import {fileURLToPath} from 'node:url';
import {build} from 'vite';

/** Builds the page once for all its tests. */
export default async function buildPage(): Promise<void> {
  const configFile = fileURLToPath(new URL('../../../examples/mnist/web/vite.config.ts', import.meta.url));
  await build({configFile, logLevel: 'warn'});
}
