import type { RequestHandler } from 'express';
import { Histogram, type Registry } from 'prom-client';
import { exchangeOf } from '../exchange';

/** A log line and a measurement for every request, once it is answered or its client is gone. */
export function observe(registry: Registry): RequestHandler {
  const duration = new Histogram({
    name: 'slipstream_api_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return (req, res, next) => {
    const start = process.hrtime.bigint();
    res.once('close', () => {
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      const { path, route, log, identity } = exchangeOf(res);
      const status = res.writableFinished ? res.statusCode : 499;
      duration.observe({ method: req.method, route: route?.template ?? 'none', status }, seconds);
      const line = {
        method: req.method,
        path,
        status,
        ms: Math.round(seconds * 1e4) / 10,
        project_id: identity?.projectId,
        lb: route?.params['loadbalancer_id'],
      };
      if (status >= 500) log.warn(line, 'request');
      else log.info(line, 'request');
    });
    next();
  };
}
