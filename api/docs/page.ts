/**
 * The browser's side of the documentation: Swagger UI on the OpenAPI document. Every address in it is relative to the
 * page's own, `<anything>/v2/docs`, so that it works wherever a deployment mounts the API.
 */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Slipstream: the Octavia v2 API</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <noscript>This page needs JavaScript; the document itself is <a href="docs/openapi.json">openapi.json</a>.</noscript>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</body>
</html>
`;

/** Starts Swagger UI. A file of its own, since the content security policy allows no script within the page. */
export const START_SCRIPT = `SwaggerUIBundle({
  // Absolute, because the servers of the document are relative to its address.
  url: new URL('docs/openapi.json', window.location.href).href,
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayOperationId: true,
  filter: true,
  // Otherwise the document's address is sent to a validator on the internet.
  validatorUrl: null,
});
`;

/**
 * Nothing from elsewhere, no script within the page, no framing by other sites. Swagger UI sets styles on elements and
 * draws its icons from data: addresses.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
