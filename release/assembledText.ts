import {fileURLToPath} from 'node:url';
import asc from 'assemblyscript/asc';

const FOLDER = 'src/backends/wasm/assembly';
const OPTIONS = '-Oz --noAssert --runtime stub --importMemory --initialMemory 1 --noExportMemory --enable simd'.split(
  ' ',
);
const SHARED = '--enable threads --sharedMemory --maximumMemory 65536'.split(' ');

/** Compiles the AssemblyScript of the wasm kernels, and returns the module that holds its bytes. */
export async function assembledText(): Promise<string> {
  const [own, shared] = [await compiled('jobs'), await compiled('jobs', SHARED)];
  // Only the import of the memory differs, at the start.
  let rest = 0;
  while (own.at(-rest - 1) === shared.at(-rest - 1)) rest++;
  return `/** @file Written by \`npm run assemble\` from ${FOLDER}. */

/** Start of the module of jobs.ts, for memory of one thread, as base64. */
${constant('OWN_HEAD', own.subarray(0, -rest))}

/** Its start for memory that threads share. */
${constant('SHARED_HEAD', shared.subarray(0, -rest))}

/** The rest of it. */
${constant('JOBS', own.subarray(-rest))}

/** The module of threads.ts. */
${constant('THREADS', await compiled('threads', SHARED))}
`;
}

/** Returns the definition of some bytes, on two lines where the formatter would break it. */
function constant(name: string, bytes: Uint8Array): string {
  const definition = `export const ${name} = '${Buffer.from(bytes).toString('base64')}';`;
  return definition.length <= 120 ? definition : definition.replace(' = ', ' =\n  ');
}

async function compiled(name: string, options: readonly string[] = []): Promise<Uint8Array> {
  let written: Uint8Array | undefined;
  const root = fileURLToPath(new URL('..', import.meta.url));
  const files = [`${FOLDER}/${name}.ts`, '--baseDir', root, '--outFile', 'code.wasm'];
  const {error, stderr} = await asc.main([...files, ...OPTIONS, ...options], {
    writeFile(_, contents) {
      written = contents as Uint8Array;
    },
  });
  if (error || !written) throw new Error(stderr.toString());
  return written;
}
