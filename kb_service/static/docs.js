// The description of the API as Swagger shows it; its bundle is a script of the page.
SwaggerUIBundle({
  url: new URL("../openapi.json", import.meta.url).pathname,
  dom_id: "#swagger-ui",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  presets: [SwaggerUIBundle.presets.apis],
});
