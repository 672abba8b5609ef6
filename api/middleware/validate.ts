import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { middleware as openApiMiddleware } from 'express-openapi-validator';
import { BadRequestError } from '../../driver/domain/errors';
import { exchangeOf } from '../exchange';
import { coerce } from '../openapi/coerce';
import type { ApiDocument } from '../openapi/document';
import { FORMATS } from '../openapi/formats';
import { describeFault, type Finding } from '../openapi/inputFault';

/**
 * Coerces and checks bodies against the document. Requests without a body pass by: their queries have rules of Octavia's
 * that OpenAPI cannot say, which `listing` knows.
 */
export function validateBody(document: ApiDocument): readonly RequestHandler[] {
  const known = bodyChecks.get(document) ?? buildBodyChecks(document);
  bodyChecks.set(document, known);
  return known;
}

/** They hold nothing of an app, and take half a second to make. */
const bodyChecks = new WeakMap<ApiDocument, readonly RequestHandler[]>();

function buildBodyChecks(document: ApiDocument): RequestHandler[] {
  const coerceBody: RequestHandler = (req, res, next) => {
    const exchange = exchangeOf(res);
    const schema = exchange.route?.operations[req.method]?.bodySchema;
    if (schema) req.body = coerce(document, schema, exchange.body);
    next();
  };
  const steps = validator(withBodies(document), { requests: true });
  const checks = [findOnce(steps.slice(0, -1)), ...steps.slice(-1)];
  return [coerceBody, ...checks.map((step) => onlyWithBody(explained(document, step)))];
}

interface ValidatedRequest extends Request {
  /** Where the validator keeps the operation it has found. */
  openapi?: object;
}

/**
 * To find a request's operation the validator compiles its paths one after the other, for each request anew. Ours is
 * known already: what the steps before the check find for it the first time is kept.
 */
function findOnce(steps: readonly RequestHandler[]): RequestHandler {
  const found = new Map<string, object>();
  const run = (req: Request, res: Response, next: NextFunction, index = 0): unknown => {
    const proceed = (error?: unknown): void => {
      if (error) next(error);
      else run(req, res, next, index + 1);
    };
    const step = steps[index];
    return step ? step(req, res, proceed) : next();
  };
  return (req: ValidatedRequest, res, next) => {
    const { route } = exchangeOf(res);
    const key = `${req.method} ${route?.template}`;
    const known = found.get(key);
    if (known) {
      req.openapi = { ...known, pathParams: route?.params };
      return next();
    }
    run(req, res, (error?: unknown) => {
      if (!error && req.openapi) found.set(key, req.openapi);
      next(error);
    });
  };
}

/** The validator tries its paths one after the other, for each request anew: it gets no more than it needs. */
function withBodies(document: ApiDocument): ApiDocument {
  const hasBody = (operation: unknown): boolean =>
    typeof operation === 'object' && !!operation && 'requestBody' in operation;
  const paths = Object.entries(document.paths).filter(([, item]) => Object.values(item).some(hasBody));
  return { ...document, paths: Object.fromEntries(paths) };
}

/**
 * Checks every answer against the document; used by tests.
 * @param onViolation is told what is wrong; the client reads a 500
 */
export function validateAnswers(document: ApiDocument, onViolation: (error: Error) => void): RequestHandler[] {
  return validator(document, { onViolation });
}

interface ValidatorUse {
  readonly requests?: boolean;
  readonly onViolation?: (error: Error) => void;
}

function validator(document: ApiDocument, { requests, onViolation }: ValidatorUse): RequestHandler[] {
  return openApiMiddleware({
    // The validator writes into its document.
    apiSpec: structuredClone(document) as never,
    validateApiSpec: false,
    validateRequests: requests ? { allowUnknownQueryParameters: true, allErrors: true } : false,
    validateResponses: onViolation
      ? {
          onError: (error) => {
            onViolation(error);
            throw error;
          },
        }
      : false,
    validateSecurity: false,
    ignoreUndocumented: true,
    fileUploader: false,
    formats: Object.fromEntries(
      Object.entries(FORMATS).map(([name, validate]) => [name, { type: 'string' as const, validate }]),
    ),
  });
}

function onlyWithBody(step: RequestHandler): RequestHandler {
  return (req, res, next) => {
    if (exchangeOf(res).body === undefined) return next();
    step(req, res, next);
  };
}

/** Turns what the validator found into Octavia's text. */
function explained(document: ApiDocument, step: RequestHandler): RequestHandler {
  return (req, res, next) => {
    const { body, route } = exchangeOf(res);
    const schema = route?.operations[req.method]?.bodySchema ?? {};
    step(req, res, (error?: unknown) => {
      const findings = (error as { errors?: readonly Finding[] } | undefined)?.errors;
      next(findings ? new BadRequestError(describeFault(document, schema, body, findings)) : error);
    });
  };
}
