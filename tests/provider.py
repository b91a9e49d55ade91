"""A real OpenID Connect provider on loopback: Canaille with all data in memory.

Run as ``python -m tests.provider PORT REDIRECT-URI CLIENT-SECRET``.
"""

import sys

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from werkzeug.serving import run_simple

CLIENT = "coughlab"
PASSWORD = "correct horse battery staple"
#: Name and e-mail address of each user. One name contains markup, which no page may interpret.
PEOPLE = {
    "tina": ("Tina Trainer", "Tina@Example.org"),
    "vera": ("Vera **bold** :red[Visitor]", "vera@example.org"),
}


def serve(port, redirect_uri, secret):
    """Answer until killed."""
    app = create_app(
        {
            "SECRET_KEY": "a test's",
            "SERVER_NAME": f"localhost:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "LOGGING": {"version": 1}},
            # No consent page.
            "CANAILLE_OIDC": {"TRUSTED_DOMAINS": ["localhost"]},
        }
    )
    with app.app_context(), Backend.instance.session():
        for user, (name, email) in PEOPLE.items():
            person = models.User(
                user_name=user, formatted_name=name, family_name=name, emails=[email], password=PASSWORD
            )
            Backend.instance.save(person)
        client = models.Client(
            client_id=CLIENT,
            client_secret=secret,
            client_name="CoughLab",
            client_uri="http://localhost",
            redirect_uris=[redirect_uri],
            post_logout_redirect_uris=[redirect_uri],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "email", "profile"],
            token_endpoint_auth_method="client_secret_basic",
        )
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)
    run_simple("localhost", port, app, threaded=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]), *sys.argv[2:])
