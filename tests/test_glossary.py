"""Questions in other languages become English words; English ones stay as they are."""

import json
from pathlib import Path

import pytest

from bot.glossary import FOLDER, UNSPACED, _glossaries, _replaced_words, english
from bot.golden import read_golden

# Words that hardly any other language has; a pasted error message has some of them too.
ENGLISH = {"the", "a", "is", "to", "and", "my", "it", "with", "for", "not", "can", "of", "i", "how", "that"}
FILES = sorted(FOLDER.glob("*.json"))
FOREIGN = ("de", "es", "fr", "it", "ja", "pt", "ru", "zh")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Wie kann ich einen Dienst ohne Ingress freigeben?", ["how", "service", "without", "Ingress", "expose"]),
        ("¿Cómo expongo el puerto 1883 sin un balanceador?", ["how", "expose", "port", "1883", "without", "load balancer"]),
        ("como puedo renovar el certificado de mi dominio", ["how", "renew", "certificate", "domain"]),
        ("Pourquoi l'adresse IP reste vide dans mon cluster ?", ["why", "address IP", "empty", "cluster"]),
        ("Como redirecionar http para https sem alterar o serviço?", ["how", "redirect", "https", "without", "service"]),
        ("Perché il certificato non funziona con il mio dominio?", ["why", "certificate", "not work", "domain"]),
        ("Почему сертификат не работает для нескольких доменов?", ["why", "certificate", "not", "domain"]),
        ("为什么我的证书不能更新", ["why", "certificate"]),
        ("なぜ証明書が更新されないのですか", ["why", "certificate"]),
    ],
)
def test_words_of_other_languages_become_english(question: str, words: list[str]) -> None:
    found = english(question).lower()
    assert [word for word in words if word.lower() not in found] == []


@pytest.mark.parametrize("typed", ["¿Cuál es la dirección pública del clúster?", "cual es la direccion publica del cluster?"])
def test_accents_that_are_left_out_change_nothing(typed: str) -> None:
    assert {"address", "public", "cluster"} <= set(english(typed).lower().strip("¿?").split())


@pytest.mark.parametrize(
    "question",
    [
        "load balancer no endpoints",
        "ingress-nginx unmaintained CVE no fix",
        "ha load balancer for the api server",
        "let's encrypt certificates are not renewed",
        "no resolver defined to resolve externalname",
    ],
)
def test_english_that_looks_like_another_language_is_left_alone(question: str) -> None:
    assert english(question) == question


def test_compound_words_are_looked_up_in_their_pieces_and_identifiers_are_not() -> None:
    assert "firewall" in english("pourquoi le pare-feu bloque ingress-nginx sur mon serveur")
    assert "ingress-nginx" in english("pourquoi le pare-feu bloque ingress-nginx sur mon serveur")


def test_latin_letters_between_chinese_ones_are_found_in_any_case() -> None:
    assert english("真实IP怎么获取") == english("真实ip怎么获取")


@pytest.mark.parametrize("file", [file for file in FILES if file.stem not in UNSPACED], ids=lambda file: file.stem)
def test_every_entry_of_a_glossary_can_be_found(file: Path) -> None:
    glossary = _glossaries()[file.stem]
    words = json.loads(file.read_text(encoding="utf-8"))["words"]
    assert [phrase for phrase, value in words.items() if _replaced_words(phrase, glossary) != value] == []


def test_identifiers_codes_and_paths_are_kept() -> None:
    question = "Warum ignoriert ingress-nginx die Annotation nginx.ingress.kubernetes.io/proxy-body-size bei Fehler 413 auf /api/hochladen?"
    found = english(question)
    assert found != question
    for kept in ("ingress-nginx", "nginx.ingress.kubernetes.io/proxy-body-size", "413", "/api/hochladen"):
        assert kept in found


def test_english_questions_stay_as_they_are() -> None:
    asked = [question.question for question in read_golden() if question.half == "tune" and question.in_scope]
    words = [(question, question.lower().split()) for question in asked if not any(script.search(question) for script in UNSPACED.values())]
    in_english = [question for question, said in words if sum(word in ENGLISH for word in said) >= max(2, len(said) / 8)]
    assert len(in_english) > 200
    assert [question for question in in_english if english(question) != question] == []


@pytest.mark.parametrize("question", ["", "🚢🚢", "udp", "le service", "die Annotation", "¿?", "привет", "日本", "x" * 1000])
def test_too_little_to_tell_a_language_by_is_no_error(question: str) -> None:
    assert isinstance(english(question), str)


def test_there_is_a_glossary_a_language() -> None:
    assert tuple(file.stem for file in FILES) == FOREIGN
    assert set(UNSPACED) <= set(FOREIGN)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_glossary_has_its_form(file: Path) -> None:
    record = json.loads(file.read_text(encoding="utf-8"))
    assert set(record) == {"name", "words", "small"}
    assert len(record["words"]) >= 400
    assert set(record["words"]).isdisjoint(record["small"])
    for word, value in record["words"].items():
        assert word == word.lower().strip() != ""
        assert value.isascii()
        assert 1 <= len(value.split()) <= 3
