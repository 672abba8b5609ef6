import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RequestHandler, Response } from 'express';
import { exchangeOf } from '../exchange';
import { methodNotAllowed } from '../faults';
import type { ApiDocument } from '../openapi/document';
import { CONTENT_SECURITY_POLICY, PAGE, START_SCRIPT } from './page';

/** What is answered at one path. */
type Answer = (res: Response) => void;

const MANIFEST = require.resolve('swagger-ui-dist/package.json');
const ASSETS = dirname(MANIFEST);

/** Stored, but asked for again: an unchanged file costs a 304, and an upgrade shows at once. */
const CACHING = 'no-cache';

/**
 * The document to be read in a browser, at `/v2/docs`. Needs no token: a browser cannot send one with a page, and what
 * is shown is public. The page therefore has a copy of the document below its own path; `/v2/openapi.json` is for
 * programs and needs a token like all else.
 */
export function docs(document: ApiDocument): RequestHandler {
  const answers = answersOf(document);
  return (req, res, next) => {
    const answer = answers.get(exchangeOf(res).path);
    if (!answer) return next();
    if (req.method !== 'GET' && req.method !== 'HEAD') throw methodNotAllowed(['GET', 'HEAD']);
    res.set({
      'Cache-Control': CACHING,
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    answer(res);
  };
}

/** By canonical path: these, and no other file of the library, are to be had. */
function answersOf(document: ApiDocument): ReadonlyMap<string, Answer> {
  // Relative to the document's own address: requests tried out on the page go where the page came from.
  const copy = JSON.stringify({
    ...document,
    servers: [{ url: '../..', description: 'the service that this page is from' }],
  });
  const { version } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { readonly version: string };
  return new Map<string, Answer>([
    ['/v2/docs', text('html', PAGE)],
    // With the slash the page's relative addresses would lead elsewhere.
    ['/v2/docs/', (res) => res.status(308).set('Location', '../docs').end()],
    ['/v2/docs/start.js', text('js', START_SCRIPT)],
    ['/v2/docs/openapi.json', text('json', copy)],
    ['/v2/docs/swagger-ui.css', asset('swagger-ui.css', version)],
    ['/v2/docs/swagger-ui-bundle.js', asset('swagger-ui-bundle.js', version)],
  ]);
}

function text(type: string, content: string): Answer {
  return (res) => res.type(type).send(content);
}

/** Tagged by the library's version: npm gives the files of every version the same time, 1985. */
function asset(name: string, version: string): Answer {
  return (res) =>
    res.set('ETag', `"${version}"`).sendFile(name, { root: ASSETS, cacheControl: false, lastModified: false });
}
