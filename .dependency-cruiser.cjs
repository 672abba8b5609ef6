/**
 * The import table of the house style, executable. A module may import what its row lists; a new exception belongs
 * into CONTRIBUTING.md first.
 */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(api|driver|migrations|tests|devstack)/', pathNot: allowed },
});
const MAINS = '(/main\\.ts$|^driver/(cli|embedded)\\.ts$|^driver/(cli|embedded)/)';

module.exports = {
  forbidden: [
    only('domain-imports-nothing', '^driver/domain/', ['^driver/domain/']),
    only('config', '^driver/config/', ['^driver/(config|domain)/']),
    only('telemetry', '^driver/telemetry/', ['^driver/(telemetry|domain)/']),
    only('protocol', '^driver/protocol/', ['^driver/(protocol|domain)/']),
    only('db', '^driver/db/', ['^driver/(db|domain|telemetry|config)/', '^migrations/']),
    only('migrations', '^migrations/', ['^migrations/', '^driver/db/']),
    only('bus', '^driver/bus/', ['^driver/(bus|domain|telemetry|config)/']),
    only('clouds', '^driver/clouds/', ['^driver/(clouds|domain|telemetry|config)/']),
    only('target', '^driver/target/', ['^driver/(target|domain|protocol)/']),
    only('reconcile', '^driver/reconcile/', [
      '^driver/(reconcile|target|domain|protocol|db|telemetry|config)/',
      '^driver/(bus|clouds/[^/]+)/port\\.ts$',
    ]),
    only('trace', '^driver/trace/', [
      '^driver/(trace|domain|protocol|db|config)/',
      '^driver/(bus|clouds/[^/]+)/port\\.ts$',
    ]),
    only('agent', '^driver/agent/', ['^driver/(agent|domain|protocol|telemetry|config)/']),
    only('agent-bootstrap', '^driver/agentBootstrap/', ['^driver/(agentBootstrap|domain|telemetry|config)/']),
    {
      name: 'worker-health-not-agent-not-api',
      severity: 'error',
      from: { path: '^driver/(worker|health|housekeeping|fleet|drift|driverAgent)/' },
      to: { path: '^(api/|driver/agent/)' },
    },
    {
      name: 'api-knows-ports-only',
      severity: 'error',
      from: { path: '^api/', pathNot: MAINS },
      to: {
        path: '^driver/',
        pathNot: ['^driver/(domain|config|telemetry|db|trace)/', '^driver/(bus|clouds/[^/]+)/port\\.ts$'],
      },
    },
    {
      name: 'concrete-parts-only-in-mains',
      severity: 'error',
      from: { path: '^(api|driver)/', pathNot: [MAINS, '^driver/(bus|clouds)/'] },
      to: { path: ['^driver/(bus|clouds/[^/]+)/(memory|http|amqp|local|noop|face)\\.ts$', '^driver/bus/amqp/'] },
    },
    {
      name: 'no-tests-from-product',
      severity: 'error',
      from: { path: '^(api|driver|migrations)/' },
      to: { path: '^tests/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    includeOnly: '^(api|driver|migrations|tests|devstack)/',
  },
};
