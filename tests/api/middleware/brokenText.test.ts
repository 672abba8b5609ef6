import { holdsBrokenText, mayHoldBrokenText } from '../../../api/middleware/brokenText';

const NUL = '\\u0000';
const HALF = '\\ud83d';

it.each([
  [`"${NUL}"`, true],
  [`{"a": [{"b": "x${HALF}y"}]}`, true],
  [`{"${HALF}": 1}`, true],
  ['"\\uDE00"', true],
  ['"\\ud83d\\ude42"', false],
  ['"\\\\u0000"', false],
  ['"\\u0001 ä 🙂"', false],
  ['{"a": [null, 1, true]}', false],
])('finds in %s what is no text: %p', (json, broken) => {
  const looked = mayHoldBrokenText(Buffer.from(json)) && holdsBrokenText(JSON.parse(json));
  expect(looked).toBe(broken);
});

it('looks into a body that is nothing but brackets', () => {
  const depth = 50_000;
  const body: unknown = JSON.parse(`${'['.repeat(depth)}"${NUL}"${']'.repeat(depth)}`);
  expect(holdsBrokenText(body)).toBe(true);
});
