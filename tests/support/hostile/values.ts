import * as fc from 'fast-check';

/** What somebody would try who wants a line of his own in a configuration. */
const ATTEMPTS = [
  "/'\n  stats enable",
  '/\r\n  stats enable',
  "/' backup'",
  '/ # comment',
  '/"$HOME"',
  '/\\',
  '/%[env(HOME)]',
  '/%%[src]%',
  "x')\n user root",
  "x') -m found #",
  'x),lower(',
  '-f',
  '-f /etc/passwd',
  '-m reg -i --',
  '--',
  'a or TRUE',
  '} if { always_true',
  '!allowed',
  '"a b"',
  '"a\tb"',
  '"a" b"',
  "http://a/'\n  http-request deny",
  "https://a/?q='%[src]'#$HOME",
  'http://a/ code 200 if TRUE',
  '(',
  '[a-',
  'a{1000000}',
  '(a+)+$',
  '^(?!x)\\w{2,3}\\b$',
  'ALL:!aNULL ssl-max-ver SSLv3',
  'HIGH\n  stats enable',
  "HIGH' verify none '",
  '@SECLEVEL=0:ALL',
  '127.0.0.1 track a/b',
  '127.0.0.1;shutdown sessions',
  '::1%lo',
  '../../etc/passwd',
  'chosen',
  'TRUE',
  'X-Real-IP',
  '\u0000',
  '\u2028\u0085',
  'ä€𝄞',
  '',
] as const;

/** Those among arbitrary text. */
export const hostile: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ATTEMPTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((text) => `/${text}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((text) => `http://a/${text}`) },
);

/** Gives the value of a place: hostile in some places, plain in the others. */
export type At = (place: string, plain: string) => string;

/** Which places have which hostile values. */
export type Infestation = ReadonlyMap<string, string>;

/**
 * Hostile values in one to three of the places that `build` asks for, at a time: with all of them at once nothing would
 * be left to serve.
 */
export function infestations(build: (at: At) => unknown): fc.Arbitrary<Infestation> {
  const places = new Set<string>();
  build((place, plain) => {
    places.add(place);
    return plain;
  });
  const one = fc.tuple(fc.constantFrom(...places), hostile);
  return fc.array(one, { minLength: 1, maxLength: 3 }).map((entries) => new Map(entries));
}

export function infest(values: Infestation): At {
  return (place, plain) => values.get(place) ?? plain;
}
