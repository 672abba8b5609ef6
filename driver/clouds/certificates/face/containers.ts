import express, { Router } from 'express';
import { identityOf } from '../../keystone/requireToken';
import type { EmbeddedBarbican } from '../barbican/model';
import { serveAcl } from './acl';
import { answerPage } from './listing';
import { parseConsumer, parseContainer } from './schemas';
import { viewConsumers, viewContainer } from './views';

/** `/v1/containers`. */
export function serveContainers(barbican: EmbeddedBarbican): Router {
  const router = Router();
  const json = express.json({ limit: '64kb' });
  router.get('/', (req, res) => {
    const { name, type } = req.query;
    const found = barbican
      .list(identityOf(res), 'container')
      .filter((it) => (name ?? it.name) === it.name && (type ?? it.type) === it.type);
    const views = found.map((container) => viewContainer(container, res.locals['base']));
    res.json(answerPage(req, { key: 'containers', base: res.locals['base'] }, views));
  });
  router.post('/', json, async (req, res) => {
    const { id } = await barbican.createContainer(identityOf(res), parseContainer(req.body));
    const containerRef = `${res.locals['base']}/containers/${id}`;
    res.status(201).location(containerRef).json({ container_ref: containerRef });
  });
  router.get('/:id', (req, res) => {
    res.json(viewContainer(barbican.get(identityOf(res), 'container', req.params.id), res.locals['base']));
  });
  router.delete('/:id', async (req, res) => {
    await barbican.remove(identityOf(res), 'container', req.params.id);
    res.status(204).end();
  });
  serveConsumers(router, barbican);
  serveAcl(router, barbican, 'container');
  return router;
}

function serveConsumers(router: Router, barbican: EmbeddedBarbican): void {
  const json = express.json({ limit: '64kb' });
  router.get('/:id/consumers', (req, res) => {
    const { id } = req.params;
    const consumers = viewConsumers(barbican.get(identityOf(res), 'container', id));
    const base = `${res.locals['base']}/containers/${id}`;
    res.json(answerPage(req, { key: 'consumers', base }, consumers));
  });
  router.post('/:id/consumers', json, async (req, res) => {
    const container = await barbican.addConsumer(identityOf(res), String(req.params['id']), parseConsumer(req.body));
    res.json(viewContainer(container, res.locals['base']));
  });
  router.delete('/:id/consumers', json, async (req, res) => {
    const container = await barbican.removeConsumer(identityOf(res), String(req.params['id']), parseConsumer(req.body));
    res.json(viewContainer(container, res.locals['base']));
  });
}
