/** @file Turns of phrase that plain technical English does without, with the plain words. */
import type {Passage} from './passages';

/** A turn of phrase to avoid, and the plain words in its place. */
interface BannedTurn {
  pattern: RegExp;
  instead: string;
}

/** Nouns that may follow "training": with one of them it is no noun itself. */
const NOUNS =
  'run|step|row|data|loop|set|pass|label|image|accuracy|error|digit|state|mode|example|sample|batch|loss|time|option|epoch|split|curve|code|log|session|code|method';

const BANNED_TURNS: readonly BannedTurn[] = [
  {pattern: /\btrainings\b/i, instead: 'training runs'},
  {
    pattern: new RegExp(
      `\\b(?:a|an|each|every|another|one|whole|saved|the|this|that|two) training(?:[.,;:)]| (?!(?:${NOUNS}))(?:that|which|ends?|is|are|was|of|so|failed|without|with|may|from|has|goes|went|came|throws)\\b)`,
      'i',
    ),
    instead: 'training run',
  },
  {pattern: /\bacted by\b|\bprocessor (?:only )?acts\b/i, instead: 'software-rendered'},
  {pattern: /\bgo(?:es|ing)? back\b|\bwent back\b/i, instead: 'rolls back, returns'},
  {pattern: /\bgo(?:es|ing)? on\b|\bwent on\b/i, instead: 'continues, resumes'},
  {pattern: /\b(?:is|are|was|were|be|been|being) asked\b/i, instead: 'the actor and what it does: calls, requests'},
  {pattern: /\b(?:is|are|was|were|be|been|being|unless) told\b/i, instead: 'the actor and what it does: passes, gets'},
  {pattern: /\bwants?\b/i, instead: 'needs, requires'},
  {pattern: /\bnobody\b|\bno one else\b/i, instead: 'no row, no caller, none'},
  {pattern: /\bso-manieth\b/i, instead: 'n-th, every `n`-th'},
  {pattern: /\bbelongs? into\b/i, instead: 'belongs in'},
  {pattern: /\bso many\b/i, instead: 'the number itself: n rows, of that size'},
  {pattern: /\bthe way of a batch\b/i, instead: 'how a batch is processed'},
  {pattern: /\bwho does what\b/i, instead: 'responsibilities'},
  {pattern: /\bon the disk\b/i, instead: 'in the file system'},
  {pattern: /\bc[oa]mes? to\b/i, instead: 'reaches, ends at, equals'},
  {pattern: /\b(?:is|are|was|were) handed\b|\bhands (?:it|them|that) over\b/i, instead: 'passes, gets'},
  {pattern: /\b(?:have|has|had|gets?) (?:its|their|a) turn\b/i, instead: 'runs; yields to the event loop'},
  {pattern: /\bAbsent:/, instead: 'omit for'},
];

/** The banned turns in a text, with their places. */
export function bannedTurnsIn(path: string, {line, text}: Passage): string[] {
  const prose = text.replace(/\n[ \t]*(?:\*|\/\/)?[ \t]*/g, '\n');
  return BANNED_TURNS.flatMap(({pattern, instead}) =>
    [...prose.matchAll(new RegExp(pattern.source.replaceAll(' ', '\\s'), `${pattern.flags}g`))].map(
      ({0: turn, index}) => {
        const at = line + prose.slice(0, index).split('\n').length - 1;
        return `${path}:${at}: "${turn.replace(/\s+/g, ' ')}" (say: ${instead})`;
      },
    ),
  );
}
