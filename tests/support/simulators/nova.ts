import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { z } from 'zod';
import { type NovaBehaviour, NovaModel, Refusal, type SimulatedServer } from './nova/model';
import { Act, CreateInterface, CreateServer, CreateServerGroup } from './nova/schemas';

/** A Nova behind its API v2.1, on a loopback port, for an admin in the project of the service or in another. */
export interface NovaSimulator {
  /** As the catalogue has it. */
  readonly url: string;
  readonly model: NovaModel;
  readonly behaviour: NovaBehaviour;
  /** `METHOD path` of every call, in their order. */
  readonly calls: string[];
  /** So many POSTs from now on are carried out, and not answered. */
  loseAnswers(count: number): void;
  close(): Promise<void>;
}

/** Largest page it gives. */
const MAX_PAGE = 1_000;

export async function startNova(behaviour: Partial<NovaBehaviour> = {}, maxPage = MAX_PAGE): Promise<NovaSimulator> {
  const model = new NovaModel({
    quota: 100,
    hosts: ['compute-1', 'compute-2', 'compute-3'],
    serversPerHost: 100,
    bootsSlowly: false,
    deletesSlowly: false,
    rebootsSlowly: false,
    repeatsMarkers: false,
    plugsSlowly: false,
    flavors: { big: 'm1.big' },
    network: undefined,
    refusePort: undefined,
    onBoot: () => undefined,
    onReboot: () => undefined,
    ...behaviour,
  });
  const calls: string[] = [];
  let lost = 0;
  const app = express();
  app.use('/v2.1', express.json(), requireManners, (req, res, next) => {
    calls.push(`${req.method} ${req.path}`);
    if (req.method === 'POST' && lost > 0) {
      lost -= 1;
      const lose = () => {
        req.socket.destroy();
        return res;
      };
      Object.assign(res, { json: lose, end: lose });
    }
    next();
  });
  serveServers(app, model, maxPage);
  serveGroups(app, model);
  serveFlavors(app, model);
  app.use(answerRefusal);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2.1`,
    model,
    behaviour: model.behaviour,
    calls,
    loseAnswers: (count) => {
      lost = count;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function requireManners(req: Request, _res: Response, next: () => void): void {
  if (!req.get('X-Auth-Token')) throw new Refusal(401, 'unauthorized', 'The request you have made requires a token.');
  const version = /^compute 2\.(\d+)$/.exec(req.get('OpenStack-API-Version') ?? '')?.[1];
  if (version === undefined || Number(version) < 64)
    throw new Refusal(400, 'badRequest', 'The microversion is too old.');
  next();
}

/** The project that the token says; null: that of the service. */
function projectOf(req: Request): string | null {
  return /^in (.+)$/.exec(req.get('X-Auth-Token') ?? '')?.[1] ?? null;
}

/** As Nova sorts them for an admin. */
function isListed(req: Request): (server: SimulatedServer) => boolean {
  const { all_tenants: all, project_id: projectId, tags } = req.query;
  const project = projectOf(req);
  return (server) =>
    (all === '1' ? projectId === undefined || projectId === server.projectId : project === server.projectId) &&
    (tags === undefined || server.tags.includes(String(tags)));
}

function serveServers(app: Express, model: NovaModel, maxPage: number): void {
  app.get('/v2.1/servers/detail', (req, res) => {
    const all = [...model.servers.values()].filter(isListed(req)).sort((one, other) => (one.id < other.id ? -1 : 1));
    const { marker, limit } = req.query;
    const { repeatsMarkers } = model.behaviour;
    const isBehind = (id: string): boolean => id > String(marker) || (repeatsMarkers && id === marker);
    const rest = typeof marker === 'string' ? all.filter(({ id }) => isBehind(id)) : all;
    res.json({ servers: rest.slice(0, Math.min(maxPage, Number(limit ?? maxPage))).map(listServer) });
  });
  app.post('/v2.1/servers', async (req, res) => {
    const { server, 'os:scheduler_hints': hints } = read(CreateServer, req.body);
    const { id } = await model.create({
      projectId: projectOf(req),
      name: server.name,
      imageId: server.imageRef,
      flavorId: server.flavorRef,
      keyName: server.key_name ?? null,
      availabilityZone: server.availability_zone ?? null,
      securityGroups: server.security_groups.map(({ name }) => name),
      tags: server.tags,
      metadata: server.metadata,
      configDrive: server.config_drive,
      networks: server.networks,
      group: hints?.group ?? null,
    });
    res.status(202).json({ server: { id, links: [] } });
  });
  app.get('/v2.1/servers/:id', (req, res) => {
    res.json({ server: showServer(model.server(req.params.id)) });
  });
  app.get('/v2.1/servers/:id/os-instance-actions', (req, res) => {
    res.json({ instanceActions: model.server(req.params.id).actions.map((action) => ({ action })) });
  });
  app.post('/v2.1/servers/:id/action', (req, res) => {
    model.reboot(req.params.id, read(Act, req.body).reboot.type);
    res.status(202).end();
  });
  app.delete('/v2.1/servers/:id', async (req, res) => {
    await model.remove(req.params.id);
    res.status(204).end();
  });
  app.get('/v2.1/servers/:id/os-interface', (req, res) => {
    const { ports } = model.server(req.params.id);
    // As Nova does: the last one first.
    res.json({
      interfaceAttachments: ports.toReversed().map(({ id, networkId }) => ({ port_id: id, net_id: networkId })),
    });
  });
  app.post('/v2.1/servers/:id/os-interface', async (req, res) => {
    const port = await model.attach(req.params.id, read(CreateInterface, req.body).interfaceAttachment.port_id);
    if (model.behaviour.plugsSlowly) return void req.socket.destroy();
    res.json({ interfaceAttachment: { port_id: port.id, net_id: port.networkId } });
  });
  app.delete('/v2.1/servers/:id/os-interface/:port', async (req, res) => {
    await model.detach(req.params.id, req.params.port);
    res.status(202).end();
  });
}

function serveGroups(app: Express, model: NovaModel): void {
  app.get('/v2.1/os-server-groups', (req, res) => {
    const from = Number(req.query['offset'] ?? 0);
    const isEvery = req.query['all_projects'] === 'True';
    const groups = [...model.groups.values()].filter((it) => isEvery || it.project_id === projectOf(req));
    res.json({ server_groups: groups.slice(from, from + Number(req.query['limit'] ?? 1_000)) });
  });
  app.post('/v2.1/os-server-groups', (req, res) => {
    const { name, policy } = read(CreateServerGroup, req.body).server_group;
    res.json({ server_group: model.addGroup(name, policy, projectOf(req)) });
  });
  app.delete('/v2.1/os-server-groups/:id', (req, res) => {
    if (!model.groups.delete(req.params.id)) throw new Refusal(404, 'itemNotFound', 'No such server group.');
    res.status(204).end();
  });
}

function serveFlavors(app: Express, { behaviour }: NovaModel): void {
  app.get('/v2.1/flavors', (_req, res) => {
    res.json({ flavors: Object.entries(behaviour.flavors).map(([id, name]) => ({ id, name })) });
  });
  app.get('/v2.1/flavors/:id', (req, res) => {
    const name = behaviour.flavors[req.params.id];
    if (name === undefined) throw new Refusal(404, 'itemNotFound', `Flavor ${req.params.id} could not be found.`);
    res.json({ flavor: { id: req.params.id, name } });
  });
}

/** Nova's list does not say why a server that no host could take is in ERROR. */
function listServer(server: SimulatedServer) {
  const { fault, ...shown } = showServer(server);
  return server.host === null ? shown : { ...shown, ...(fault === undefined ? {} : { fault }) };
}

function showServer(server: SimulatedServer): Record<string, unknown> {
  const shown = server.status === 'BUILD' || server.status === 'ERROR' ? [] : server.ports;
  const addresses = Object.fromEntries(
    shown.map(({ networkId, address }) => [
      `net-${networkId}`,
      [{ addr: address, version: 4, 'OS-EXT-IPS:type': 'fixed' }],
    ]),
  );
  return {
    id: server.id,
    name: server.name,
    status: server.status,
    tags: server.tags,
    metadata: server.metadata,
    addresses,
    hostId: server.host === null ? '' : `hash-of-${server.host}`,
    'OS-EXT-SRV-ATTR:host': server.host,
    'OS-EXT-STS:task_state': server.taskState,
    'OS-SRV-USG:launched_at': server.launchedAt,
    ...(server.fault === null ? {} : { fault: { code: 500, message: server.fault, created: '2026-01-01T00:00:00Z' } }),
  };
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Refusal(400, 'badRequest', z.prettifyError(parsed.error));
  return parsed.data;
}

const answerRefusal: ErrorRequestHandler = (error, _req, res, _next) => {
  const { status, type, message } = error instanceof Refusal ? error : new Refusal(500, 'computeFault', String(error));
  res.status(status).json({ [type]: { code: status, message } });
};
