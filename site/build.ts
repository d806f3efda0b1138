/** @file `npm run site` builds the site into site-dist, a folder for any static host. */
import {fileURLToPath} from 'node:url';
import {buildSite} from './buildSite';

const root = fileURLToPath(new URL('..', import.meta.url));

try {
  await buildSite(root.replace(/\/$/, ''), `${root}site-dist`);
  console.log('The site is in site-dist. Serve it from any path, for example: npx serve site-dist');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
