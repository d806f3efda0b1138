import {homedir} from 'node:os';
import {posix, win32} from 'node:path';

/**
 * Where downloaded files are kept: `ohem-tfjs/mnist` in `LOCALAPPDATA` on Windows, else in
 * `XDG_CACHE_HOME`, which is `~/.cache` where it is not set, or is no absolute path (as the XDG
 * Base Directory Specification has it).
 */
export function defaultCacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (platform === 'win32') {
    return win32.join(env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local'), 'ohem-tfjs', 'mnist');
  }
  const caches = env.XDG_CACHE_HOME ?? '';
  return posix.join(posix.isAbsolute(caches) ? caches : posix.join(home, '.cache'), 'ohem-tfjs', 'mnist');
}
