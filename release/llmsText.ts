import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

/**
 * Generates llms.txt from package.json, the README and the documents, in the format of llmstxt.org:
 * title, summary, installation, quickstart, and each document with its sections.
 */
export function llmsText(): string {
  const {name, description, peerDependencies} = JSON.parse(read('package.json'));
  const peers = Object.entries(peerDependencies as Record<string, string>).map(([peer, range]) => `${peer} ${range}`);
  const documents = readdirSync(`${root}docs`).filter((file) => file.endsWith('.md'));
  return [
    `# ${name}`,
    '',
    `> ${description}`,
    '',
    `Peer dependencies: ${peers.join(', ')}, and any backend of tfjs.`,
    '',
    ...sectionOf(read('README.md'), 'Install'),
    ...sectionOf(read('README.md'), 'Quickstart'),
    '## Documents',
    '',
    ...documents.sort().map((file) => entryOf(`docs/${file}`)),
    '- [Changelog](CHANGELOG.md)',
    '',
  ].join('\n');
}

/** Extracts the heading of a section of the README and its first code block. */
function sectionOf(readme: string, title: string): string[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  const code = /^```[\s\S]*?^```$/m.exec(section ?? '')?.[0];
  if (!code) throw new Error(`llmsText: README.md must have a section "${title}" with code, got none.`);
  return [`## ${title}`, '', code, ''];
}

function entryOf(path: string): string {
  const text = read(path).replace(/^```[\s\S]*?^```$/gm, '');
  const title = /^# (.+)$/m.exec(text)?.[1];
  if (!title) throw new Error(`llmsText: ${path} must have a heading "# …", got none.`);
  const sections = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  return `- [${title}](${path})${sections.length > 0 ? `: ${sections.join('; ')}` : ''}`;
}
