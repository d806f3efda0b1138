import type {LossHistograms, Run} from '../../experiment/results';
import {element, made} from './element';
import {SVG} from './runPaint';

const WIDTH = 400;
const HEIGHT = 150;

/** Figure 2: how the losses of a batch spread, and those of its rows that were backpropagated. */
export interface Histograms {
  clear(): void;
  draw(histograms: LossHistograms, run: Run): void;
}

export function histograms(): Histograms {
  const place = element('histograms', HTMLDivElement);
  const batch = panel('batch');
  const mined = panel('mined');
  place.append(batch.node, mined.node);
  const clear = () => {
    batch.draw([], 'The batch');
    mined.draw([], 'Backpropagated');
  };
  clear();
  return {
    clear,
    draw({batch: all, selected}, {n, k, rule}) {
      batch.draw(all, `The batch: ${n} rows`);
      mined.draw(selected, `Backpropagated: ${rule === 'random' ? 'any' : 'the hardest'} ${k}`);
    },
  };
}

function panel(className: string): {node: HTMLElement; draw(counts: number[], title: string): void} {
  const node = made('div', '', className);
  const heading = made('h3');
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  const most = made('p', '', 'most');
  const top = made('div', '', 'title');
  top.append(heading, most);
  const bars: SVGRectElement[] = [];
  const foot = made('div', '', 'scale');
  for (const text of ['0', '0.5', '1']) foot.append(made('span', text));
  node.append(top, svg, foot);
  return {
    node,
    draw(counts, title) {
      heading.textContent = title;
      const highest = Math.max(1, ...counts);
      while (bars.length < counts.length) {
        const bar = document.createElementNS(SVG, 'rect');
        bars.push(bar);
        svg.append(bar);
      }
      bars.forEach((bar, bin) => {
        const height = ((counts[bin] ?? 0) / highest) * HEIGHT;
        const width = WIDTH / bars.length;
        set(bar, {x: bin * width + 0.5, y: HEIGHT - height, width: width - 1, height});
      });
      most.textContent = counts.length > 0 ? `up to ${highest}` : 'nothing yet';
      svg.setAttribute('aria-label', describe(counts, title));
    },
  };
}

function describe(counts: number[], title: string): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return `${title}: nothing yet`;
  const share = (from: number, to: number) => {
    const part = counts.slice(Math.round(from * counts.length), Math.round(to * counts.length));
    return `${Math.round((100 * part.reduce((sum, count) => sum + count, 0)) / total)} %`;
  };
  return `${title}. Losses from 0 to 0.2: ${share(0, 0.2)}, to 0.4: ${share(0.2, 0.4)}, to 0.6: ${share(0.4, 0.6)}, above: ${share(0.6, 1)}`;
}

function set(bar: SVGRectElement, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) bar.setAttribute(name, value.toFixed(2));
}
