import {describe, expect, it} from 'vitest';
import {defaultCacheFolder} from '../../../../examples/mnist/data/cacheFolder';

describe('defaultCacheFolder', () => {
  it.each([
    ['the home folder', {}, 'linux', '/home/ada', '/home/ada/.cache/ohem-tfjs/mnist'],
    ['XDG_CACHE_HOME', {XDG_CACHE_HOME: '/var/caches'}, 'linux', '/home/ada', '/var/caches/ohem-tfjs/mnist'],
    ['no empty XDG_CACHE_HOME', {XDG_CACHE_HOME: ''}, 'darwin', '/Users/ada', '/Users/ada/.cache/ohem-tfjs/mnist'],
    ['no relative XDG_CACHE_HOME', {XDG_CACHE_HOME: 'c'}, 'linux', '/home/ada', '/home/ada/.cache/ohem-tfjs/mnist'],
    ['LOCALAPPDATA on Windows', {LOCALAPPDATA: 'D:\\Local'}, 'win32', 'C:\\ada', 'D:\\Local\\ohem-tfjs\\mnist'],
    ['the home folder on Windows', {}, 'win32', 'C:\\ada', 'C:\\ada\\AppData\\Local\\ohem-tfjs\\mnist'],
  ] as const)('goes by %s', (_, env, platform, home, folder) => {
    expect(defaultCacheFolder(env, platform, home)).toBe(folder);
  });
});
