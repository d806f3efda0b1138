/**
 * Formats a section of docs/compatibility.md: a table, and a note on each result but "passed".
 *
 * @param columns  names of the columns behind the first.
 * @param rows  `{name, cells}`, a cell `{result, said}` for each column.
 */
export function table(title, first, columns, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const said = rows.flatMap(({name, cells}) =>
    cells.flatMap(({result, said}, i) =>
      result === 'passed' ? [] : [`- ${name}, ${columns[i]}: ${result}. ${escaped(said)}`],
    ),
  );
  return [
    `## ${title}`,
    '',
    line([first, ...columns]),
    line([first, ...columns].map(() => '---')),
    ...rows.map(({name, cells}) => line([name, ...cells.map(({result}) => result)])),
    ...(said.length > 0 ? ['', ...said] : []),
    '',
  ].join('\n');
}

const escaped = (text) => `\`${text.replaceAll('`', "'")}\``;
