"""What a study has ready to ask and to answer queries with. Pure."""

from ecrf.study.parts import Frozen


class QueryWords(Frozen):
    """The code lists whose labels are ready-made questions and answers, in both languages.

    A list of that name may be missing: then there are none. `{item}` in a label is replaced by
    the name of the item that is asked about.
    """

    questions: str = "query_questions"
    answers: str = "query_answers"
