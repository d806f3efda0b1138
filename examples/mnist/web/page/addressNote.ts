import type {DataRequest} from '../protocol';

/**
 * Sentences about what an address asks for and the page cannot give.
 *
 * @param unclear  a sentence for each part of the address that cannot be used.
 */
export function addressNote(unclear: readonly string[], kind: DataRequest['kind']): string[] {
  return [
    ...(unclear.length > 0 ? ['This address holds what the page cannot use; defaults stand in for it.'] : []),
    ...unclear,
    ...(kind === 'files' ? ['This run used files of its author: choose your own four.'] : []),
  ];
}
