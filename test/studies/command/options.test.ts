import {describe, expect, it} from 'vitest';
import {UsageError} from '../../../examples/mnist/node/errors';
import {helpFor} from '../../../studies/command/help';
import {readOptions} from '../../../studies/command/options';
import {countingStudy} from '../../support/countingStudy';

const study = countingStudy();
const studies = [study, {...study, name: 'adding'}];
const read = (line: string) => readOptions(line.split(' ').filter(Boolean), studies);

describe('readOptions', () => {
  it('takes what the study has where nothing is said', () => {
    expect(read('counting')).toEqual({study, seeds: 3, steps: 10, out: 'study-results'});
  });

  it('takes what is typed', () => {
    const typed = {study: studies[1], seeds: 1, steps: 50, threads: 2, out: 'x', data: 'y'};
    expect(read('adding --seeds 1 --steps 50 --threads 2 --out x --data y')).toEqual(typed);
    expect(read('-h')).toEqual({help: true});
  });

  it.each([
    ['', 'study: NAME must be one of counting, adding, got none.'],
    ['count', 'study: NAME must be one of counting, adding, got count.'],
    ['counting adding', 'study: NAME must stand alone, got adding beside it.'],
    ['counting --seeds 0', 'study: --seeds must be an integer >= 1, got 0.'],
    ['counting --steps 1.5', 'study: --steps must be an integer >= 1, got 1.5.'],
    ['counting --threads 0', 'study: --threads must be an integer >= 1, got 0.'],
    ['counting --seeds=', 'study: --seeds must be an integer >= 1, got nothing.'],
    ['counting --digits 60', "study: Unknown option '--digits'"],
    ['counting --data', "study: Option '--data <value>' argument missing"],
  ])('refuses %j', (line, message) => {
    expect(() => read(line)).toThrow(UsageError);
    expect(() => read(line)).toThrow(message);
  });
});

describe('readOptions of a study that draws committed results', () => {
  const drawn = [{...study, name: 'drawing', isRedrawn: true as const}];

  it('takes a folder to write to', () => {
    expect(readOptions(['drawing', '--out', 'x'], drawn)).toMatchObject({study: drawn[0], out: 'x'});
  });

  it.each(['seeds', 'steps', 'threads', 'data'])('refuses --%s, which does nothing there', (option) => {
    expect(() => readOptions(['drawing', `--${option}`, '2'], drawn)).toThrow(
      `study: --${option} must be omitted for drawing, which draws committed results.`,
    );
  });

  it('has a line of help without seeds', () => {
    expect(helpFor(drawn)).toContain('counts (draws committed results)');
  });
});

describe('helpFor', () => {
  it('names every study and every option', () => {
    const help = helpFor(studies);
    for (const word of ['counting', 'adding', '--data', '--out', '--seeds', '--steps', '--threads', '--help']) {
      expect(help).toContain(word);
    }
  });
});
