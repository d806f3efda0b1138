/** Modules that the main entry point does not export: they need a platform. */
export const OWN_ENTRY: readonly string[] = ['wasm', 'node'];

/** The name by which a program imports a module: `ohem-tfjs/losses`. */
export const importPath = (module: string): string => (module === 'ohem-tfjs' ? module : `ohem-tfjs/${module}`);
