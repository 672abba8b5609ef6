import express, { type Request, type Response, type Router } from 'express';
import { identityOf } from '../../keystone/requireToken';
import type { EmbeddedBarbican, NewAcl } from '../barbican/model';
import type { Kind } from '../barbican/records';
import { parseAcl } from './schemas';
import { viewAcl } from './views';

/** What holds where nothing was said. */
const OPEN: NewAcl = { users: [], projectAccess: true };

/** `/v1/<kind>s/<id>/acl`. */
export function serveAcl(router: Router, barbican: EmbeddedBarbican, kind: Kind): void {
  const json = express.json({ limit: '64kb' });
  const currentOf = (req: Request, res: Response) => barbican.get(identityOf(res), kind, String(req.params['id'])).acl;
  const set = async (req: Request, res: Response, acl: NewAcl | null): Promise<void> => {
    await barbican.setAcl(identityOf(res), { kind, id: String(req.params['id']) }, acl);
    if (acl) res.json({ acl_ref: `${res.locals['base']}/${kind}s/${req.params['id']}/acl` });
    else res.status(200).end();
  };
  router.get('/:id/acl', (req, res) => void res.json(viewAcl(currentOf(req, res))));
  router.put('/:id/acl', json, (req, res) => set(req, res, parseAcl(req.body, OPEN)));
  router.patch('/:id/acl', json, (req, res) => set(req, res, parseAcl(req.body, currentOf(req, res) ?? OPEN)));
  router.delete('/:id/acl', (req, res) => set(req, res, null));
}
