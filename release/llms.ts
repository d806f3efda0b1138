/**
 * @file `npm run llms` writes llms.txt: what the package is and where each document leads, for
 *   language models.
 */
import {writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {llmsText} from './llmsText';

writeFileSync(fileURLToPath(new URL('../llms.txt', import.meta.url)), llmsText());
