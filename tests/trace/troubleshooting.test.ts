import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE } from '../../driver/trace/catalogue';

/** Its traces are made, and compared, by the catalogue of faults on the fabric. */
const PAGE = join(__dirname, '../../docs/troubleshooting.md');

it('names every fault of the catalogue in that page', () => {
  const page = readFileSync(PAGE, 'utf8');

  expect(CATALOGUE.map(({ name }) => name).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it('shows a healthy VIP there, and five that are not', () => {
  const [, traces = ''] = readFileSync(PAGE, 'utf8').split('<!-- traces -->');

  expect([...traces.matchAll(/^### (.*)$/gm)]).toHaveLength(6);
});
