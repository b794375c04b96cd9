"""A small handbook as generators write it: ten pages of MkDocs Material, one of Sphinx, one of Docusaurus, and what is no content."""

import html
from pathlib import Path


def write_site(folder: Path) -> Path:
    """Write the site into `folder` and return it."""
    for name, text in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def material(title: str, anchor: str, *sections: str, before: str = "") -> str:
    """Return a page as MkDocs Material writes it."""
    return f"""<!doctype html>
<html lang="en" class="no-js">
<head><meta charset="utf-8"><title>{title}</title><script>document.documentElement.classList.remove("no-js")</script></head>
<body>
<header class="md-header"><nav class="md-header__inner"><p>Navigation words</p></nav></header>
<main class="md-main"><div class="md-content" data-md-component="content">
<article class="md-content__inner md-typeset">
{before}
<h1 id="{anchor}">{title}<a class="headerlink" href="#{anchor}" title="Permanent link">&para;</a></h1>
{"".join(sections)}
</article></div></main>
<footer class="md-footer"><p>Footer words</p></footer>
</body></html>
"""


def section(heading: str, anchor: str, questions: list[str], body: str) -> str:
    """Return a section as Python-Markdown writes it, its questions in a comment."""
    asked = "<!-- questions\n" + "".join(f"- {question}\n" for question in questions) + "-->" if questions else ""
    link = f'<a class="headerlink" href="#{anchor}" title="Permanent link">&para;</a>'
    return f'<h2 id="{anchor}">{heading}{link}</h2>\n{asked}\n{body}\n'


def code(language: str, text: str) -> str:
    """Return a code block as Pygments writes it: spans and empty anchors in the lines."""
    lines = (
        f'<a id="__codelineno-0-{number}" name="__codelineno-0-{number}"></a><span class="nt">{html.escape(line)}</span>\n'
        for number, line in enumerate(text.splitlines(), 1)
    )
    return f'<div class="language-{language} highlight"><pre><span></span><code>{"".join(lines)}</code></pre></div>'


SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  type: LoadBalancer"
LONG_SERVICE = "\n".join(f"line-{number}: long" for number in range(60))
SOURCES = '<h2 id="sources">Sources</h2>\n<p>Reviewed 2026-11-22.</p>\n<ul><li><a href="https://example.com/">Upstream</a></li></ul>'

INGRESS = material(
    "Ingress",
    "ingress",
    "<p>An Ingress routes requests by host and path.</p>",
    section(
        "Can an Ingress carry UDP?",
        "ingress-udp",
        ["ingress udp", "should I use Ingress for UDP?", "voice server behind my ingress controller drops datagrams"],
        '<p><strong>No.</strong> An <code>Ingress</code> carries only <abbr title="Hypertext Transfer Protocol">HTTP</abbr> and HTTPS. '
        'For UDP use a Service of type <code>LoadBalancer</code>. See <a href="../loadbalancer/#lb-udp">load balancers</a>.</p>'
        "<p>The Ingress object has no field for a protocol.</p>",
    ),
    section(
        "Can an Ingress end TLS?",
        "ingress-tls",
        ["ingress tls", "can Ingress terminate TLS certificates?", "https secret for ingress host"],
        "<p><strong>Yes.</strong> An Ingress ends TLS with a certificate from a Secret. Name the Secret in <code>spec.tls</code>.</p>",
    ),
    SOURCES,
)

LOADBALANCER = material(
    "Load balancers",
    "loadbalancer",
    section(
        "How do I expose a UDP port with a load balancer?",
        "lb-udp",
        ["load balancer udp port example", "expose udp datagrams to the internet"],
        "<p>Use a Service of type <code>LoadBalancer</code> with <code>protocol: UDP</code>. The provider opens the port.</p>"
        "<p>This Service does it:</p>" + code("yaml", SERVICE) + "<p>Apply it:</p>" + code("bash", "kubectl apply -f service.yaml"),
    ),
    section(
        "Why does EXTERNAL-IP stay pending?",
        "lb-pending",
        ["external-ip pending", "my LoadBalancer address never shows up"],
        "<p>Nothing in the cluster gives out addresses. Install MetalLB on bare metal, or use a cloud controller.</p>"
        "<p>Check in this order:</p><ol><li>Is a controller running?</li><li>Does its pool have addresses left?</li></ol>"
        "<p>Quotas of the cloud account can also be the reason.</p>",
    ),
    section(
        "How long may a manifest be?",
        "lb-long",
        ["very lengthy manifest example"],
        "<p>A manifest may be lengthy. This one is too lengthy to be shown in an answer.</p>" + code("yaml", LONG_SERVICE),
    ),
    SOURCES,
)

GATEWAY = material(
    "Gateway API",
    "gateway",
    section(
        "Does the Gateway API carry gRPC?",
        "gateway-grpc",
        ["gateway grpc", "does a GRPCRoute exist in the gateway api?"],
        "<p><strong>Yes.</strong> A <code>GRPCRoute</code> matches gRPC services and methods. It is in the standard channel.</p>",
    ),
    section(
        "Does a Gateway cost more than an Ingress?",
        "gateway-cost",
        ["gateway price compared to ingress", "is a gateway more expensive?"],
        "<p><strong>It depends.</strong> The price depends on how many load balancers the controller orders.</p>"
        "<table><thead><tr><th>Kind</th><th>Load balancers</th></tr></thead><tbody><tr><td>Ingress</td><td>one</td></tr>"
        "<tr><td>Gateway</td><td>one per Gateway</td></tr></tbody></table>",
    ),
)

TIMEOUTS = material(
    "Timeouts",
    "timeouts",
    section(
        "How do I raise the idle timeout?",
        "idle-timeout",
        ["idle timeout annotation", "connections close after sixty seconds of silence"],
        "<p>Set the annotation <code>idle-timeout</code> on the Service. Sixty seconds is the default.</p>"
        "<p>The annotation takes one of:</p>"
        "<ul><li>a number of seconds</li><li>the word <code>never</code>, for websocket clients</li></ul>"
        "<p>Keepalive packets of the client help as well, without any annotation.</p>",
    ),
)

PORTS = material(
    "Ports",
    "ports",
    section(
        "Which ports may a NodePort use?",
        "nodeport-range",
        ["nodeport range", "allowed node port numbers"],
        "<p>A NodePort lies between 30000 and 32767. The API server's flag changes the range.</p>",
    ),
)

DNS = material(
    "DNS",
    "dns",
    section(
        "How does ExternalDNS make records?",
        "external-dns",
        ["externaldns records", "automatic hostname records"],
        "<p>ExternalDNS reads hosts from Services and Ingresses. It writes records at the DNS provider.</p>",
    ),
)

METALLB = material(
    "MetalLB",
    "metallb",
    section(
        "What does MetalLB announce?",
        "metallb-announce",
        ["metallb arp bgp", "layer two announcement"],
        "<p>MetalLB announces addresses by ARP or by BGP. One speaker answers for each address.</p>",
    ),
)

SESSIONS = material(
    "Sessions",
    "sessions",
    section(
        "How do I keep a client on one pod?",
        "affinity",
        ["session affinity sticky", "same pod for a client"],
        "<p>Set <code>sessionAffinity: ClientIP</code>. A cookie of the controller is the other way.</p>",
    ),
)

OUTSIDE = material(
    "Outside this handbook",
    "outside",
    section(
        "Does this handbook cover persistent volumes?",
        "outside-storage",
        ["persistent volume claim storage class", "my database volume is full"],
        "<p>Storage is outside this handbook: see the Kubernetes documentation on volumes.</p>",
    ),
    before="<!-- outside this handbook -->",
)

SPHINX = """<!DOCTYPE html>
<html><head><title>Widgets</title></head><body>
<div class="sphinxsidebar"><p>Sidebar words</p></div>
<div class="body" role="main">
<section id="widgets"><h1>Widgets<a class="headerlink" href="#widgets">¶</a></h1>
<p>Widgets are made of sprockets.</p>
<section id="greasing"><h2>Greasing a widget<a class="headerlink" href="#greasing">¶</a></h2>
<!-- questions
- lubricate sprocket
-->
<p>Grease it weekly.</p>
<div class="highlight-python notranslate"><div class="highlight"><pre><span></span>widget.grease()
</pre></div></div>
<dl><dt>interval</dt><dd><p>Days between greasings.</p></dd></dl>
</section></section></div></body></html>
"""

DOCUSAURUS = """<!doctype html>
<html><head><title>Gadgets</title></head><body><main><article>
<nav class="theme-doc-breadcrumbs"><ul><li>Breadcrumb words</li></ul></nav>
<div class="theme-doc-markdown markdown"><header><h1>Gadgets</h1></header>
<p>Gadgets come in boxes.</p>
<h2 class="anchor" id="unboxing">Unboxing a gadget<a href="#unboxing" class="hash-link" aria-label="Direct link">\u200b</a></h2>
<p>Cut the tape carefully.</p>
<div class="language-bash codeBlockContainer"><div><pre tabindex="0" class="prism-code language-bash"><code><span>gadget open</span>
</code></pre><div><button type="button">Copy</button></div></div></div>
</div></article></main></body></html>
"""

PAGES = {
    "index.html": material("Small handbook", "home", "<p>How services of a cluster reach the world.</p>"),
    "ingress/index.html": INGRESS,
    "loadbalancer/index.html": LOADBALANCER,
    "gateway/index.html": GATEWAY,
    "timeouts/index.html": TIMEOUTS,
    "outside/index.html": OUTSIDE,
    "ports/index.html": PORTS,
    "dns/index.html": DNS,
    "metallb/index.html": METALLB,
    "sessions/index.html": SESSIONS,
    "sphinx/widgets.html": SPHINX,
    "docusaurus/gadgets/index.html": DOCUSAURUS,
    "moved/index.html": '<head><meta http-equiv="refresh" content="0; url=../ingress/"></head><body><h1>Moved</h1><p>Gone.</p></body>',
    "404.html": material("Not found", "not-found", "<p>There is no such page in the small handbook.</p>"),
    "search.html": material("Search", "search", "<p>Search words.</p>"),
    "sphinx/_static/about.html": "<html><body><h1>Static</h1><p>No content.</p></body></html>",
    "assets/ask.js": '"use strict";\n',
    "assets/bundle.0a1b2c3d.min.js": '"use strict";\n',
    "robots.txt": "User-agent: *\n",
}
