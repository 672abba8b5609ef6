import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { identityOf } from '../../keystone/requireToken';
import { BarbicanError } from '../barbican/errors';
import type { EmbeddedBarbican } from '../barbican/model';
import type { SecretRecord } from '../barbican/records';
import { serveAcl } from './acl';
import { answerPage } from './listing';
import { MAX_PAYLOAD, makePayload, parseSecret } from './schemas';
import { viewSecret } from './views';

/** Whatever a payload is kept under, one may ask for it under these, as Barbican's own clients do. */
const ANY_PAYLOAD = ['text/plain', 'application/octet-stream'];

/** `/v1/secrets`. */
export function serveSecrets(barbican: EmbeddedBarbican): Router {
  const router = Router();
  router.get('/', (req, res) => {
    const found = barbican.list(identityOf(res), 'secret').filter((secret) => matches(secret, req));
    const views = found.map((secret) => viewSecret(secret, res.locals['base']));
    res.json(answerPage(req, { key: 'secrets', base: res.locals['base'] }, views));
  });
  router.post('/', express.json({ limit: 4 * MAX_PAYLOAD }), async (req, res) => {
    const { id } = await barbican.createSecret(identityOf(res), parseSecret(req.body, new Date()));
    const secretRef = `${res.locals['base']}/secrets/${id}`;
    res.status(201).location(secretRef).json({ secret_ref: secretRef });
  });
  router.get('/:id', (req, res) => {
    const secret = barbican.get(identityOf(res), 'secret', req.params.id);
    // An older way to ask for the payload: the same address, with its media type.
    if (req.accepts('application/json')) res.json(viewSecret(secret, res.locals['base']));
    else sendPayload(barbican, req, res);
  });
  router.get('/:id/payload', (req, res) => sendPayload(barbican, req, res));
  router.put('/:id', takeEncoding, express.raw({ limit: 2 * MAX_PAYLOAD, type: () => true }), async (req, res) => {
    const payload = readRawPayload(req, res.locals['isBase64'] === true);
    await barbican.setPayload(identityOf(res), String(req.params['id']), payload);
    res.status(204).end();
  });
  router.delete('/:id', async (req, res) => {
    await barbican.remove(identityOf(res), 'secret', req.params.id);
    res.status(204).end();
  });
  serveAcl(router, barbican, 'secret');
  return router;
}

function matches(secret: SecretRecord, { query }: Request): boolean {
  const { name, alg, mode, bits, secret_type: type } = query;
  const wanted: readonly (readonly [unknown, unknown])[] = [
    [name, secret.name],
    [alg, secret.algorithm],
    [mode, secret.mode],
    [bits, secret.bitLength === null ? null : String(secret.bitLength)],
    [type, secret.secretType],
  ];
  return wanted.every(([value, actual]) => value === undefined || value === '' || value === actual);
}

function sendPayload(barbican: EmbeddedBarbican, req: Request, res: Response): void {
  const { content, contentType } = barbican.readPayload(identityOf(res), String(req.params['id']));
  const type = req.accepts([contentType, ...ANY_PAYLOAD]);
  if (type === false) {
    throw new BarbicanError(406, `Wrong payload content-type. It can be retrieved as '${contentType}'.`);
  }
  res.set('Content-Type', type).end(content);
}

/** `Content-Encoding: base64` is Barbican's own; express would refuse it. */
function takeEncoding(req: Request, res: Response, next: NextFunction): void {
  res.locals['isBase64'] = req.get('Content-Encoding') === 'base64';
  if (res.locals['isBase64']) delete req.headers['content-encoding'];
  next();
}

/** The body of a PUT is the payload itself, or base64 of it. */
function readRawPayload(req: Request, isBase64: boolean) {
  const type = req.get('Content-Type');
  if (!type || req.is('application/json')) {
    throw new BarbicanError(415, `Content-Type of '${type ?? ''}' is not supported for PUT.`);
  }
  const body: unknown = req.body;
  if (!Buffer.isBuffer(body) || body.length === 0) throw new BarbicanError(400, 'No data supplied to process.');
  const content = isBase64 ? Buffer.from(body.toString('latin1'), 'base64') : body;
  return makePayload(type, content, type.startsWith('text/plain') ? null : 'base64');
}
