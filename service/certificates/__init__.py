"""Certificates: who may use the logo, told by a document, a badge and a credential that anyone can check."""

from .certificates import Certificates, CertificateView
from .credentials import Issuer

__all__ = ["CertificateView", "Certificates", "Issuer"]
