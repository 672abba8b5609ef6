import { Router } from 'express';
import { NeutronError } from '../model/errors';

/** Aliases that clients look for before they use what is behind them. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'allowed-address-pairs': 'Allowed Address Pairs',
  'external-net': 'Neutron external network',
  'net-mtu': 'Network MTU',
  pagination: 'Pagination support',
  'port-security': 'Port Security',
  'project-id': 'project_id field enabled',
  qos: 'Quality of Service',
  quotas: 'Quota management support',
  router: 'Neutron L3 Router',
  'security-group': 'security-group',
  sorting: 'Sorting support',
  'standard-attr-description': 'standard-attr-description',
  'standard-attr-revisions': 'Resource revision numbers',
  'standard-attr-tag': 'Tag support for resources with standard attribute',
  'standard-attr-timestamp': 'Resource timestamps',
};

const QUOTA_KINDS = [
  'network',
  'subnet',
  'port',
  'router',
  'floatingip',
  'security_group',
  'security_group_rule',
  'rbac_policy',
  'subnetpool',
];

/** Kinds that clients list in passing and that this Neutron has none of; by path, with the key of the list. */
const EMPTY_COLLECTIONS: Readonly<Record<string, string>> = {
  routers: 'routers',
  subnetpools: 'subnetpools',
  'address-scopes': 'address_scopes',
  agents: 'agents',
  availability_zones: 'availability_zones',
  trunks: 'trunks',
  'rbac-policies': 'rbac_policies',
};

/** Extensions, quotas (there are no limits) and the collections that are always empty. */
export function serveExtras(): Router {
  const router = Router();
  router.get(
    '/extensions',
    (_req, res) => void res.json({ extensions: Object.keys(EXTENSIONS).map(describeExtension) }),
  );
  router.get('/extensions/:alias', (req, res) => {
    const { alias } = req.params;
    if (!(alias in EXTENSIONS)) {
      throw new NeutronError(404, 'ExtensionNotFound', `Extension with alias ${alias} does not exist`);
    }
    res.json({ extension: describeExtension(alias) });
  });

  const unlimited = Object.fromEntries(QUOTA_KINDS.map((kind) => [kind, -1]));
  router.get('/quotas', (_req, res) => void res.json({ quotas: [] }));
  router.get(['/quotas/:project', '/quotas/:project/default'], (_req, res) => void res.json({ quota: unlimited }));

  for (const [path, key] of Object.entries(EMPTY_COLLECTIONS)) {
    router.get(`/${path}`, (_req, res) => void res.json({ [key]: [] }));
  }
  return router;
}

function describeExtension(alias: string) {
  const name = EXTENSIONS[alias] ?? alias;
  return { alias, name, description: name, links: [], updated: '2015-01-01T10:00:00-00:00' };
}
