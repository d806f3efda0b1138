const SVG = 'http://www.w3.org/2000/svg';
const COLOURS = ['#0b62a4', '#c2410c'];

/** Draws lines that grow over `steps` steps, from 0 to 100. */
export function growingChart(chart: SVGSVGElement, steps: number) {
  const {width, height} = chart.viewBox.baseVal;
  const lines = new Map<string, SVGPolylineElement>();

  const element = <Name extends 'polyline' | 'text'>(name: Name, attributes: Record<string, string | number>) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
    chart.append(made);
    return made;
  };
  const addLine = (name: string) => {
    const colour = COLOURS[lines.size % COLOURS.length] as string;
    element('text', {x: 8, y: 20 + 18 * lines.size, fill: colour}).textContent = name;
    const line = element('polyline', {fill: 'none', stroke: colour, 'stroke-width': 2, points: `0,${height}`});
    lines.set(name, line);
    return line;
  };

  return (name: string, step: number, percent: number) => {
    const line = lines.get(name) ?? addLine(name);
    const point = `${(width * step) / steps},${height - (height * percent) / 100}`;
    line.setAttribute('points', `${line.getAttribute('points')} ${point}`);
  };
}
